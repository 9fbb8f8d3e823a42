import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Which part may import which; arrows point towards core. A file directly in src is a part of its own. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: ['core', 'errors'],
  errors: [],
  host: [],
  calls: [],
  files: ['errors'],
  log: ['core', 'errors', 'log'],
  config: ['core', 'errors', 'config'],
  state: ['core', 'errors', 'files', 'state'],
  stores: ['calls', 'core', 'errors', 'files', 'stores'],
  work: ['core', 'errors', 'stores', 'work'],
  worker: ['errors', 'work'],
  sql: ['core', 'errors', 'files', 'sql'],
  stages: ['core', 'errors', 'stages'],
  status: ['core', 'errors', 'files', 'sql', 'stages', 'status'],
  samples: ['core', 'errors', 'samples'],
  commands: [
    'core',
    'errors',
    'files',
    'host',
    'log',
    'config',
    'state',
    'stores',
    'sql',
    'stages',
    'status',
    'samples',
    'work',
    'commands',
  ],
  cli: ['commands', 'errors'],
  main: ['cli', 'commands', 'errors'],
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => join('src', name))

const partOf = (path: string): string => relative('src', path).split('/')[0]!.replace(/\.ts$/, '')
const importsOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!)
const codeOf = (path: string): string => readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')

describe('the direction of imports', () => {
  it.each(files)('%s imports only what its part may', (path) => {
    const wrong = importsOf(path)
      .filter((name) => name.startsWith('.'))
      .map((name) => partOf(join(dirname(path), name)))
      .filter((part) => !MAY_IMPORT[partOf(path)]?.includes(part))
    expect(wrong).toEqual([])
  })
  it('has core free of Node, timers and the network', () => {
    const touching = files
      .filter((path) => partOf(path) === 'core')
      .filter(
        (path) =>
          importsOf(path).some((name) => name.startsWith('node:')) ||
          /\b(setTimeout|setInterval|fetch)\(/.test(codeOf(path)),
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

describe('the process', () => {
  it.each([
    { what: 'the end of the process', pattern: /process\.exit\(/, only: ['src/main.ts'] },
    { what: 'the environment', pattern: /process\.env\b/, only: ['src/main.ts'] },
    { what: 'signals and process events', pattern: /process\.on(ce)?\(/, only: ['src/main.ts'] },
    {
      what: 'the clock',
      pattern: /Date\.now\(|new Date\(\)|performance\.now\(/,
      only: ['src/platform/host.ts', 'src/main.ts'],
    },
  ])('has $what in one place', ({ pattern, only }) => {
    expect(files.filter((path) => pattern.test(codeOf(path)) && !only.includes(path))).toEqual([])
  })
})

describe('a source file', () => {
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
