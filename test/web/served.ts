import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { openFile } from '../../src/sql/libsql-database.ts'

export const TOKEN = 'a-token-of-the-test-0123456789'

/** The built `run-archiver serve` over a ledger of its own, on a free port. */
export class Served {
  readonly folder = mkdtempSync(join(tmpdir(), 'served-'))
  readonly ledger = join(this.folder, 'ledger.db')
  readonly token = TOKEN
  url = ''
  readonly #words: readonly string[]
  #process: ChildProcess | undefined

  /** `config` serves a site with an archiver instead of a ledger alone; `more` words of the command line. */
  constructor(config?: string, more: readonly string[] = []) {
    const from = config === undefined ? ['--ledger', `sqlite:${this.ledger}`] : ['--config', config]
    this.#words = [...from, ...more]
  }

  /** One that somebody else started, and ends. */
  static at(url: string): Served {
    const served = new Served()
    served.url = url.replace(/\/$/, '')
    return served
  }

  /** Starts it; `port` 0 is a free one. */
  async start(port = 0): Promise<void> {
    const token = join(this.folder, 'token')
    writeFileSync(token, TOKEN)
    const words = ['serve', ...this.#words, '--port', String(port), '--token-file', token]
    const child = spawn(process.execPath, [resolve('dist/main.js'), ...words], { cwd: this.folder })
    this.#process = child
    let errors = ''
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
    const [line] = await new Promise<string[]>((done, fail) => {
      createInterface({ input: child.stdout }).once('line', (text) => done([text]))
      child.once('exit', (code) => fail(new Error(`serve ended with ${code}: ${errors}`)))
    })
    this.url = new URL(line ?? '').origin
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  async stop(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null) return
    await new Promise((done) => {
      child.once('exit', done)
      child.kill('SIGTERM')
    })
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** The rows of its ledger, read beside it. */
  query(statement: string): Record<string, unknown>[] {
    const database = openFile(this.ledger, 5000)
    try {
      return database.prepare(statement).all([]) as Record<string, unknown>[]
    } finally {
      database.close()
    }
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const reply = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const type = reply.headers.get('content-type') ?? ''
    const text = await reply.text()
    return { status: reply.status, type, text, json: /json/.test(type) ? (JSON.parse(text) as Json) : {} }
  }
}

type Json = Readonly<Record<string, unknown>>

export interface Reply {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly json: Json
}
