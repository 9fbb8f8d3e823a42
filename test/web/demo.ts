import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openSession } from '../../src/sql/open-session.ts'
import { postgresAnswers, postgresPlace } from '../postgres.ts'
import { Served, TOKEN } from './served.ts'

/** `npm run demo` without its build: run records, rows, records, a queue, tasks and alerts, each with something that failed. */
export class ServedDemo {
  readonly #folder = mkdtempSync(join(tmpdir(), 'page-demo-'))
  readonly #database = `page_demo_${process.pid}`
  #process: ChildProcess | undefined
  #served: Served | undefined
  /** Whether there is a server for rows. */
  hasRows = false
  /** What it said: a line for each page that it looked at. */
  readonly said: string[] = []

  get served(): Served {
    if (this.#served) return this.#served
    throw new Error('the demo was not started')
  }

  async start(): Promise<void> {
    this.hasRows = await postgresAnswers()
    if (this.hasRows) await this.#admin(`CREATE DATABASE ${this.#database}`)
    else console.warn('SKIPPED: no PostgreSQL answers: the page of rows has no rows')
    const token = join(this.#folder, 'token')
    writeFileSync(token, TOKEN)
    const rows = this.hasRows ? ['--rows', urlOf(this.#database)] : []
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'scripts/demo.ts', '--port', '0', '--token-file', token, ...rows],
      { env: { ...process.env, TMPDIR: this.#folder } },
    )
    this.#process = child
    let errors = ''
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
    const url = await new Promise<string>((done, fail) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.said.push(line)
        const found = /The page is on (\S+)/.exec(line)?.[1]
        if (found) done(found)
      })
      child.once('exit', (code) => fail(new Error(`the demo ended with ${code}: ${errors}`)))
    })
    this.#served = Served.at(url)
  }

  /** Ends it as Ctrl-C does. Returns its exit code and what it left in its folder. */
  async end(): Promise<{ readonly code: number | null; readonly left: readonly string[] }> {
    const child = this.#process
    if (child && child.exitCode === null) {
      child.kill('SIGINT')
      await new Promise((done) => child.once('exit', done))
    }
    const left = readdirSync(this.#folder).filter((name) => name.startsWith('run-archiver-demo'))
    return { code: child?.exitCode ?? null, left }
  }

  async remove(): Promise<void> {
    await this.end()
    await this.#served?.remove()
    if (this.hasRows) await this.#admin(`DROP DATABASE IF EXISTS ${this.#database} WITH (FORCE)`)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #admin(sql: string): Promise<void> {
    const session = await openSession({ url: urlOf('postgres'), password: undefined, timeout: 10_000 })
    await session.run(sql)
    await session.close()
  }
}

const urlOf = (database: string): string => {
  const { host, port, user, password } = postgresPlace()
  return `postgres://${user}${password ? `:${password}` : ''}@${host}:${port}/${database}`
}
