// The page with something on it: npm run demo. Options: --port N, --rows URL (a database in which tables may be made), --once (look at each
// page once, and end), --keep (leave the folder), --token-file FILE (who has the token may act).
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { builtProgram, makeDemo, removeDemo } from './demo/site.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    rows: { type: 'string' },
    'token-file': { type: 'string' },
    once: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const PAGES = ['/', '/runs', '/runs/1012', '/history', '/executions/1', '/performance', '/failures', '/graph']
const MORE = ['/rows', '/records', '/instances', '/alerts']

const folder = mkdtempSync(join(tmpdir(), 'run-archiver-demo-'))
const program = builtProgram()
const say = (line: string): void => console.log(line)
const demo = await makeDemo(folder, { program, rowsUrl: values.rows, say })
const [file = '', ...first] = program
const token = values['token-file'] === undefined ? [] : ['--token-file', values['token-file']]
const server = spawn(file, [...first, 'serve', '--config', demo.config, '--port', values.port, ...token], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const ended = new Promise<number>((done) => server.once('exit', (code) => done(code ?? 0)))
const stop = async (): Promise<void> => {
  server.kill('SIGTERM')
  await ended
  await demo.stop()
  if (values.keep) say(`Everything is in ${folder}; remove it when you have looked around.`)
  else removeDemo(folder)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => server.kill('SIGTERM'))
const url = await new Promise<string>((done, fail) => {
  createInterface({ input: server.stdout }).once('line', done)
  void ended.then((code) => fail(new Error(`serve ended with ${code}`)))
}).catch(async (error: unknown) => {
  await stop()
  throw error
})
for (const page of [...PAGES, ...MORE]) {
  const address = new URL(page.slice(1), url)
  const { status } = await fetch(address)
  say(`${status} ${address.href}`)
  if (status !== 200) process.exitCode = 1
}
if (!values.once) {
  say(`\n  The page is on ${url}\n  Ctrl-C ends it and removes the demo.\n`)
  await ended
}
await stop()
