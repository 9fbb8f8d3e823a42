import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { FaultProxy, type WireFault } from '../fakes/fault-proxy.ts'
import { UconServer } from '../fakes/ucon-server.ts'
import { type Sample, sampleOf } from './process-samples.ts'

const PROGRAM = resolve('dist/main.js')
const FIRST = 1000
const PASSWORD = 'soak'

/** The ways to be away, one for each outage in turn. */
const OUTAGES: readonly WireFault[] = [
  { kind: 'refuse' },
  { kind: 'silence' },
  { kind: 'answer', text: 'HTTP/1.1 503 Service unavailable\r\nContent-Length: 0\r\n\r\n' },
  { kind: 'reset upload', after: 300 },
]

export interface SoakRules {
  readonly seconds: number
  readonly records: number
  /** Seconds of an outage and the time of peace after it, together. */
  readonly period: number
  /** More for the daemon's environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Soak {
  readonly samples: readonly Sample[]
  readonly outages: number
  /** How often each run was stored, by key. */
  readonly stored: ReadonlyMap<string, number>
  /** Runs that were written, in order. */
  readonly written: readonly string[]
  /** How the daemon ended by itself; undefined where it ran until it was stopped. */
  readonly ownEnd: string | undefined
  readonly messages: string
  /** The last line of `audit`, and its exit code. */
  readonly audit: { readonly status: number | null; readonly text: string }
}

/** Runs a daemon while records trickle in and the archive goes away and comes back; measures it each second. */
export const soak = async ({ seconds, records, period, env = {} }: SoakRules): Promise<Soak> => {
  const server = await UconServer.start({ users: { writer: PASSWORD } })
  const proxy = await FaultProxy.before(server)
  const root = mkdtempSync(join(tmpdir(), 'soak-outages-'))
  mkdirSync(join(root, 'records'))
  writeFileSync(join(root, 'config.yaml'), configuration(proxy.urlFor(server)))
  const daemon = spawn(process.execPath, [PROGRAM, 'daemon'], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let messages = ''
  let ownEnd: string | undefined
  daemon.stderr.on('data', (text: Buffer) => (messages = (messages + text.toString()).slice(-20_000)))
  daemon.once('exit', (code, signal) => (ownEnd = `${code ?? signal}`))
  const samples: Sample[] = []
  const written: string[] = []
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1000
  let outages = 0
  try {
    let isAway = false
    for (let second = 1; elapsed() < seconds && daemon.exitCode === null; second++) {
      const due = Math.min(records, Math.ceil((elapsed() / seconds) * records))
      while (written.length < due) written.push(record(join(root, 'records'), FIRST + written.length))
      const shouldBeAway = elapsed() % period < period / 2
      if (shouldBeAway && !isAway) proxy.always(OUTAGES[outages++ % OUTAGES.length]!)
      if (shouldBeAway && !isAway) proxy.cut()
      if (!shouldBeAway && isAway) proxy.always({ kind: 'none' })
      isAway = shouldBeAway
      keep(samples, sampleOf(daemon.pid!))
      await pause(Math.max(0, second * 1000 - elapsed() * 1000))
    }
    proxy.always({ kind: 'none' })
    while (written.length < records) written.push(record(join(root, 'records'), FIRST + written.length))
    const deadline = elapsed() + seconds + 60
    while (server.folder.versions.length < records && elapsed() < deadline && daemon.exitCode === null) {
      keep(samples, sampleOf(daemon.pid!))
      await pause(1000)
    }
    await pause(3000) // the last pass records what it has stored
    const ended = ownEnd
    await stop(daemon)
    const stored = new Map<string, number>()
    for (const { key } of server.folder.versions) stored.set(key ?? '', (stored.get(key ?? '') ?? 0) + 1)
    const { status, stdout } = await audit(root)
    return { samples, outages, stored, written, ownEnd: ended, messages, audit: { status, text: stdout } }
  } finally {
    await stop(daemon)
    await proxy.close()
    await server.close()
    spawnSync('chmod', ['-R', 'u+w', root])
    rmSync(root, { recursive: true, force: true })
  }
}

const configuration = (url: string): string => `app: {work_dir: work, batch_size: 0, retry_delay_seconds: 0}
source_files: {run_records_dir: records, settle_seconds: 1}
artdaq_db: {database_uri: "filesystemdb://\${config_dir}/artdaqdb"}
ucon_db: {server_url: "${url}", folder_name: test01, object_name: configuration, timeout_seconds: 4, writer_user: writer, writer_password: ${PASSWORD}}
daemon: {scan_seconds: 3}
`

const keep = (samples: Sample[], one: Sample | undefined): void => {
  if (one) samples.push(one)
}

/** Writes a record that has ended; returns its key. */
const record = (directory: string, run: number): string => {
  const folder = join(directory, String(run))
  mkdirSync(folder)
  writeFileSync(join(folder, 'tpc01.fcl'), `daq: { run: ${run}  x: [1, 2, 3] }\n`)
  writeFileSync(
    join(folder, 'metadata.txt'),
    'Config name: soak\nComponent #0: tpc01\n\nDAQInterface start time: Fri Nov 20 10:00:00 2026\n\nDAQInterface stop time: Fri Nov 20 11:00:00 2026\n',
  )
  return String(run)
}

const stop = async (daemon: ChildProcess): Promise<void> => {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const ended = new Promise((resolve) => daemon.once('exit', resolve))
  daemon.kill('SIGTERM')
  await ended
}

/** Not `spawnSync`: the archive is in this process. */
const audit = (root: string): Promise<{ status: number | null; stdout: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, 'audit'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let stdout = ''
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
    child.once('close', (status) => resolve({ status, stdout }))
  })
