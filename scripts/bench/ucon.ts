import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { Secret } from '../../src/common/secret.ts'
import { monotonic, now } from '../../src/platform/host.ts'
import { authorize, challengeIn, secretOf } from '../../src/stores/ucondb/web/digest-auth.ts'
import { UconArchive } from '../../src/stores/ucondb/web/archive.ts'

/**
 * Measures the UconDB client against the test server, which runs as a process of its own:
 * `npx tsx scripts/bench/ucon.ts [puts|list|memory]`, all three unless told.
 * `puts`: against a bare undici client that sends a ready-made Authorization header (the server takes one again and again)
 * and reads nothing back. `list`: against `curl` and `JSON.parse`. All take turns, a few puts each, so that they meet the same
 * machine; lower quartiles are compared.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    puts: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '80' },
    connections: { type: 'string', default: '2' },
    kilobytes: { type: 'string', default: '60' },
    versions: { type: 'string', default: '20000' },
  },
})
const CONNECTIONS = Number(values.connections)
const ROUNDS = Number(values.rounds)
const FOLDER = 'test01'
const OBJECT = 'configuration'
const never = new AbortController().signal
const wanted = (part: string): boolean => positionals.length === 0 || positionals.includes(part)

/** Starts the server; gives its URL, and what ends it. */
const startServer = async (...more: readonly string[]): Promise<{ url: string; stop: () => void }> => {
  const server = spawn(process.execPath, ['--import', 'tsx', 'test/fakes/ucon-server.ts', ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const url of createInterface({ input: server.stdout })) return { url, stop: () => server.kill() }
  throw new Error('the server did not start')
}

const openArchive = (serverUrl: string, verify: 'checksum' | 'content'): UconArchive =>
  new UconArchive({
    serverUrl,
    folder: FOLDER,
    object: OBJECT,
    user: 'writer',
    password: new Secret('secret'),
    verify,
    timeoutMs: 30_000,
    connections: CONNECTIONS,
    now,
    random: Math.random,
  })

/** A client that knows nothing but HTTP. */
const openBare = async (url: string): Promise<{ put: (key: number, blob: Buffer) => Promise<void> }> => {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 })
  const uri = `${pathname}/data/${FOLDER}/${OBJECT}?tv=probe`
  const asked = await pool.request({ method: 'POST', path: uri, body: Buffer.alloc(0) })
  await asked.body.dump()
  const challenge = challengeIn(asked.headers['www-authenticate'])
  if (!challenge) throw new Error('the server asks for no password')
  const secret = secretOf(challenge, 'writer', 'secret', 'bench')
  const who = { user: 'writer', secret, cnonce: 'bench', count: 1 }
  const authorization = authorize(challenge, { ...who, method: 'POST', uri })
  return {
    put: async (key, body) => {
      const path = `${pathname}/data/${FOLDER}/${OBJECT}?full_meta=yes&tag=${key}&key=${key}&override=no`
      const reply = await pool.request({ method: 'POST', path, body, headers: { authorization } })
      await reply.body.text()
      if (reply.statusCode !== 200) throw new Error(`the bare client was refused: ${reply.statusCode}`)
    },
  }
}

/** Milliseconds that a number of puts took, as many at once as there are connections. */
const timePuts = async (
  blobs: readonly Buffer[],
  put: (blob: Buffer) => Promise<unknown>,
): Promise<number> => {
  const queue = blobs.values()
  const began = monotonic()
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (const blob of queue) await put(blob)
    }),
  )
  return monotonic() - began
}

/** The time below which a quarter of them lies: what the machine does when little else goes on. */
const quartile = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[times.length >> 2] ?? 0

const benchPuts = async (): Promise<void> => {
  const server = await startServer()
  const bare = await openBare(server.url)
  const checksum = openArchive(server.url, 'checksum')
  const content = openArchive(server.url, 'content')
  let run = 0
  const clients = {
    bare: (blob: Buffer) => bare.put(++run, blob),
    checksum: (blob: Buffer) => checksum.put(++run, 0, blob, never),
    content: (blob: Buffer) => content.put(++run, 0, blob, never),
  }
  const times: Record<keyof typeof clients, number[]> = { bare: [], checksum: [], content: [] }
  const names = ['bare', 'checksum', 'content'] as const
  const count = Number(values.puts)
  for (let round = -2; round < ROUNDS; round++)
    for (const offset of names.keys()) {
      const name = names[(round + 2 + offset) % names.length] ?? 'bare'
      const size = Number(values.kilobytes) * 512 // two hexadecimal digits for a byte
      const blobs = Array.from({ length: count }, () => Buffer.from(randomBytes(size).toString('hex')))
      const time = await timePuts(blobs, clients[name])
      if (round >= 0) times[name].push(time) // the first two warm up
    }
  const rate = (name: (typeof names)[number]): number => (1000 * count) / quartile(times[name])
  for (const name of names) {
    const share = rate(name) / rate('bare')
    console.log(
      `puts  ${name.padEnd(9)} ${rate(name).toFixed(0).padStart(5)}/s  ${(100 * share).toFixed(1)} % of bare`,
    )
  }
  server.stop()
}

const benchList = async (): Promise<void> => {
  const server = await startServer('--synthetic', values.versions)
  const archive = openArchive(server.url, 'checksum')
  const listing = `${server.url}/versions?folder=${FOLDER}&object=${OBJECT}`
  const times: Record<'curl' | 'ours', number[]> = { curl: [], ours: [] }
  for (let round = -2; round < ROUNDS / 4; round++) {
    let began = monotonic()
    const text = execFileSync('curl', ['--silent', listing], { maxBuffer: 2 ** 30, encoding: 'utf8' })
    const parsed = JSON.parse(text) as unknown[]
    const curl = monotonic() - began
    began = monotonic()
    const { runs } = await archive.list()
    const ours = monotonic() - began
    if (runs.size !== parsed.length) throw new Error(`${runs.size} runs of ${parsed.length} versions`)
    if (round < 0) continue
    times.curl.push(curl)
    times.ours.push(ours)
  }
  const ratio = quartile(times.ours) / quartile(times.curl)
  console.log(
    `list  ${values.versions} versions: ${quartile(times.ours).toFixed(0)} ms, ` +
      `curl + JSON.parse ${quartile(times.curl).toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
  )
  server.stop()
}

/** The most memory that listing takes beyond what the process had before, megabytes. */
const benchMemory = async (): Promise<void> => {
  for (const versions of [100_000, 1_000_000, 3_000_000]) {
    const server = await startServer('--synthetic', String(versions))
    const archive = openArchive(server.url, 'checksum')
    const before = process.memoryUsage.rss()
    let most = before
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20)
    const began = monotonic()
    const { runs } = await archive.list()
    clearInterval(watch)
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
    console.log(
      `memory  ${runs.size} versions in ${((monotonic() - began) / 1000).toFixed(1)} s: ` +
        `${megabytes(before)} MB before, ${megabytes(most)} MB at most`,
    )
    server.stop()
  }
}

if (wanted('puts')) await benchPuts()
if (wanted('list')) await benchList()
if (wanted('memory')) await benchMemory()
process.exit(0)
