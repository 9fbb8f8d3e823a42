import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Site } from '../../site.ts'

const PROGRAM = resolve('dist/main.js')
const hasTerminal = spawnSync('script', ['--version']).status === 0
if (!hasTerminal) console.warn('SKIPPED: screens on a terminal, because there is no script(1)')

/** What differs from one time to the next: times, durations, rates, processes, places. */
const steady = (text: string, root: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replaceAll(`node ${PROGRAM}`, 'run-archiver')
    .replaceAll(root, '/SITE')
    .replace(/\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?([.,]\d{3})?(Z|\+0000)?/g, '[time]')
    .replace(/\d+(\.\d+)? (?:ms|s|min)\b(?: ago)?/g, '[duration]')
    .replace(new RegExp(`${hostname()}:\\d+`, 'g'), '[host]:[pid]')
    .replace(/\bPID: \d+/g, 'PID: [pid]')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, '[id]')
    .replace(/\b[0-9a-f]{40}\b/g, '[commit]')
    .replace(/^(Rate|Process|Memory|CPU): .*$/gm, '$1: [figure]')
    .replace(/^Version: +\d+\.\d+\.\d+/gm, 'Version: [version]')
    // A batch is what one commit covers: on a slow disk there are more of them.
    .replace(/\bin \d+ batch(es)?\b/g, 'in [count] batches')
    .replace(/run \d+: stored/g, 'run [run]: stored')
    .replace(/\d+\.\d(?= {2,}\[host\]| runs\/s)/g, '[rate]')
    // The columns of a table are as wide as what stands in them.
    .replace(/^(.*\[(?:duration|rate|time)\].*)$/gm, (line) => line.replace(/ {2,}/g, '  '))
    .replace(/^ID .*$/gm, (line) => line.replace(/ {2,}/g, '  '))

let site: Site
beforeAll(() => {
  site = new Site({ app: '  parallel_workers: 1', source: '  settle_seconds: 0\n  incomplete_after: 365d' })
  for (const run of [1, 2, 3, 5, 8]) site.record(run)
  site.record('05')
  site.record(9, { ended: false })
  site.process([site.config, '--incremental'])
})
afterAll(() => site.remove())

const SCREENS: readonly (readonly [string, (site: Site) => readonly string[]])[] = [
  ['pass', ({ config }) => [config, '--incremental']],
  ['report', ({ config }) => [config, '--report-status']],
  ['compare', ({ config }) => [config, '--compare-state']],
  ['history', ({ config }) => ['history', '--config', config]],
  ['history-show', ({ config }) => ['history', 'show', '1', '--config', config]],
  ['verify', ({ config }) => ['verify', '--config', config]],
  ['usage', () => ['histroy']],
]
const JSON_SCREENS = SCREENS.filter(([name]) =>
  ['pass', 'report', 'history', 'verify', 'usage'].includes(name),
)

const golden = (name: string): string => `./golden/${name}.txt`

describe('the screens', () => {
  it.each(SCREENS)('are as they were when piped: %s', async (name, words) => {
    const { stdout } = site.process(words(site))
    await expect(steady(stdout, site.root)).toMatchFileSnapshot(golden(`${name}-piped`))
  })
  it.each(JSON_SCREENS)('are as they were under --json: %s', async (name, words) => {
    const { stdout } = site.process([...words(site), '--json'])
    const document = JSON.parse(stdout) as object
    const text = `${JSON.stringify(document, null, 2)}\n`
    await expect(shapeOf(text, site.root)).toMatchFileSnapshot(golden(`${name}-json`))
  })
  describe.skipIf(!hasTerminal).each([80, 120])('on a terminal of %i columns', (columns) => {
    it.each(SCREENS.filter(([name]) => name !== 'pass'))('are as they were: %s', async (name, words) => {
      const line = [process.execPath, PROGRAM, ...words(site)].map((word) => `'${word}'`).join(' ')
      const { stdout } = spawnSync(
        'script',
        ['-qec', `stty cols ${columns} rows 40; exec ${line} 2>/dev/null`, '/dev/null'],
        { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', TERM: 'xterm' } },
      )
      const text = steady(stdout, site.root)
      await expect(text).toMatchFileSnapshot(golden(`${name}-${columns}`))
    })
  })
})

/** A document with what differs from one time to the next left out: numbers of milliseconds, processes and rates, too. */
const shapeOf = (text: string, root: string): string =>
  steady(text, root)
    .replace(/"(\w*(?:[mM]illiseconds|_ms|pid|rate|seconds|per_minute))": [\d.]+/g, '"$1": "[number]"')
    .replace(/"(\w+At)": \d{13}/g, '"$1": "[time]"')
    .replace(new RegExp(`"${hostname()}"`, 'g'), '"[host]"')

/** After the others: a pass would stand in the history. */
describe('the screens of commands that change nothing', () => {
  it.each(SCREENS.filter(([name]) => name !== 'pass'))(
    'say the same in colour, and only where it is asked for: %s',
    (_name, words) => {
      const of = (flag: readonly string[], env: Record<string, string> = {}) => {
        const { status, stdout, stderr } = site.program([...words(site), ...flag], env)
        return { status, text: steady(stdout, site.root), errors: stderr }
      }
      const plain = of([])
      const without = (text: string): string => text.replace(/\u001b\[\d+m/g, '')
      // Asking for it goes before what the environment says.
      const colored = of(['--color'], { NO_COLOR: '1' })
      expect(colored.status).toBe(plain.status)
      expect(steady(without(colored.text), site.root)).toBe(plain.text)
      expect(of(['--color=never']).text).toBe(plain.text)
      expect(plain.text + plain.errors).not.toContain('\u001b')
    },
    180_000,
  )
})
