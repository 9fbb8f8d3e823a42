import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Shared parts, lowest first: each may import those before it. */
const GROUND = ['errors', 'common'] as const
const LIBRARIES = [...GROUND, 'fhicl', 'platform'] as const
/** What a subsystem builds on. */
const SHARED = [...LIBRARIES, 'engine', 'state', 'sql', 'stores'] as const
const STORES = ['stores/run-records', 'stores/artdaqdb', 'stores/ucondb'] as const
/** No subsystem imports another: app and commands join them, through interfaces that live in shared parts. */
const SUBSYSTEMS = ['runs', 'rows', 'records', 'queue', 'tracking', 'web'] as const

/** Which part may import which other part (docs/ARCHITECTURE.md draws it). A store is a part of its own; so is a file directly in src. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  globals: [],
  common: ['errors'],
  fhicl: GROUND,
  platform: GROUND,
  config: [...GROUND, 'platform'],
  engine: GROUND,
  state: LIBRARIES,
  sql: LIBRARIES,
  stores: LIBRARIES,
  'stores/run-records': [...LIBRARIES, 'stores'],
  'stores/artdaqdb': [...LIBRARIES, 'stores'],
  'stores/ucondb': [...LIBRARIES, 'stores'],
  // Reads the configuration for its types only.
  runs: [...SHARED, ...STORES, 'config'],
  rows: SHARED,
  records: SHARED,
  queue: SHARED,
  tracking: SHARED,
  web: SHARED,
  app: [...SHARED, ...STORES, ...SUBSYSTEMS, 'config'],
  commands: [...SHARED, ...STORES, ...SUBSYSTEMS, 'config', 'app'],
  // Commands are loaded with import() when they are called.
  cli: [...GROUND, 'app', 'commands'],
  worker: ['errors', 'runs'],
  'records-worker': ['records'],
  // Runs before anything else is loaded.
  'early-command': ['common', 'platform'],
  // The package's export for other programs: the other place that knows the process that it runs in.
  'tracking-library': [...GROUND, 'platform', 'config', 'tracking'],
  main: ['cli', 'app', 'errors', 'platform', 'common'],
  // Ends an idle pass before anything else is loaded.
  idle: ['common', 'runs'],
  // What the build makes one file of.
  program: ['main', 'cli'],
}

/** Files that touch no Node module, clock, timer or network: what they decide can be tried alone. */
const PURE = [
  'src/errors.ts',
  'src/common/',
  'src/fhicl/',
  'src/engine/',
  'src/runs/report/',
  'src/runs/candidates.ts',
  'src/runs/daemon/retry-schedule.ts',
  'src/records/mapping/',
  'src/records/expression/',
  'src/records/contract/',
  'src/records/map/',
  'src/records/values/',
  'src/tracking/graph/',
  'src/tracking/ledger/status-words.ts',
  'src/tracking/ledger/eta.ts',
]
/** The project's own folders and files, and what tools insist on. */
const TOP = new Set(
  `.ci .github .gitignore .npmrc .prettierignore .prettierrc.json CHANGELOG.md CONTRIBUTING.md Containerfile LICENSE README.md SECURITY.md clients
  config.example.yaml docs eslint.config.js package-lock.json package.json scripts src systemd test tsconfig.json tsconfig.types.json
  vitest.config.ts`.split(/\s+/),
)
/** An engine waits between two attempts. */
const MAY_WAIT = ['src/engine/pause.ts']

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
  .map((name) => join('src', name))

const partOf = (path: string): string => {
  const [first = '', second] = relative('src', path)
    .replace(/\.tsx?$/, '')
    .split('/')
  const store = `${first}/${second ?? ''}`
  return (STORES as readonly string[]).includes(store) ? store : first
}
const importsOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!)
const codeOf = (path: string): string => readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')

describe('the direction of imports', () => {
  it.each(files)('%s imports only what its part may', (path) => {
    const part = partOf(path)
    const wrong = importsOf(path)
      .filter((name) => name.startsWith('.'))
      .map((name) => partOf(join(dirname(path), name)))
      .filter((other) => other !== part && !MAY_IMPORT[part]?.includes(other))
    expect(wrong).toEqual([])
  })
  it('has a line in the table for every part', () => {
    expect([...new Set(files.map(partOf))].filter((part) => !(part in MAY_IMPORT))).toEqual([])
  })
  it('keeps subsystems, and stores, apart from each other', () => {
    for (const group of [SUBSYSTEMS, STORES] as readonly (readonly string[])[])
      for (const one of group)
        expect(
          group.filter((other) => other !== one && MAY_IMPORT[one]?.includes(other)),
          one,
        ).toEqual([])
  })
  it('has pure parts free of Node, clocks, timers and the network', () => {
    const touching = files
      .filter((path) => PURE.some((pure) => path.startsWith(pure)))
      .filter(
        (path) =>
          importsOf(path).some((name) => name.startsWith('node:')) ||
          /\b(fetch|WebSocket)\(/.test(codeOf(path)) ||
          (/\b(setTimeout|setInterval)\(/.test(codeOf(path)) && !MAY_WAIT.includes(path)),
      )
    expect(touching).toEqual([])
  })
  it('has no cycle', () => {
    const graph = new Map(
      files.map((path) => [
        path,
        importsOf(path)
          .filter((name) => name.startsWith('.'))
          .map((name) => join(dirname(path), name)),
      ]),
    )
    const visiting = new Set<string>()
    const finished = new Set<string>()
    const visit = (path: string, trail: readonly string[]): void => {
      if (finished.has(path)) return
      if (visiting.has(path)) throw new Error(`cycle: ${[...trail, path].join(' → ')}`)
      visiting.add(path)
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
      visiting.delete(path)
      finished.add(path)
    }
    for (const path of graph.keys()) visit(path, [])
  })
})

describe('the top of the project', () => {
  // What a tool writes into a file by a slip ("-", "undefined") stands here first.
  it.skipIf(!existsSync('.git'))('holds what is named here, and nothing else', () => {
    const names = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean)
    const tops = new Set(names.map((name) => name.split('/')[0] ?? ''))
    expect([...tops].filter((name) => !TOP.has(name))).toEqual([])
  })
})

describe('the process', () => {
  it.each([
    { what: 'the end of the process', pattern: /process\.exit\(/, only: ['src/main.ts'] },
    {
      what: 'the environment',
      pattern: /process\.env\b/,
      only: ['src/main.ts', 'src/tracking-library.ts', 'src/early-command.ts', 'src/idle.ts'],
    },
    {
      what: 'signals and process events',
      pattern: /process\.on(ce)?\(/,
      only: ['src/main.ts', 'src/tracking-library.ts', 'src/early-command.ts', 'src/idle.ts'],
    },
    {
      what: 'the clock',
      pattern: /Date\.now\(|new Date\(\)|performance\.now\(/,
      // The page's script runs in a browser, which has a clock of its own.
      only: ['src/platform/host.ts', 'src/main.ts', 'src/web/browser/clock.ts'],
    },
  ])('has $what in one place', ({ pattern, only }) => {
    expect(files.filter((path) => pattern.test(codeOf(path)) && !only.includes(path))).toEqual([])
  })
})

describe('a source file', () => {
  it('names no other file that is not there', () => {
    const wrong = files.flatMap((path) =>
      [
        ...readFileSync(path, 'utf8').matchAll(
          /(?<![\w./'`-])(?:docs\/\w+\.md|(?:[a-z-]+\/)+[a-z-]+\.tsx?)\b/g,
        ),
      ]
        .map(([name]) => name)
        .filter(
          (name) => ![name, join('src', name), join(dirname(path), name)].some((one) => existsSync(one)),
        )
        .map((name) => `${path}: ${name}`),
    )
    expect(wrong).toEqual([])
  })
  it.each(files)('%s is at most 250 lines long', (path) => {
    expect(readFileSync(path, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(250)
  })
  it('nowhere deletes or overwrites at a destination', () => {
    // Those two remove the temporary folder that they made for artdaq's tools.
    const scratch = ['src/stores/artdaqdb/tools/exchange-files.ts', 'src/stores/artdaqdb/tools/host.ts']
    const stores = files.filter((path) => path.startsWith('src/stores/') && !scratch.includes(path))
    expect(stores.filter((path) => /\b(rm|rmdir|rmSync|truncate)\(/.test(codeOf(path)))).toEqual([])
  })
})
