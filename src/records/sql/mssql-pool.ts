import type { Tedious, TediousConnection } from './mssql-driver.ts'
import { countMssql } from '../../sql/count-database.ts'

/** A connection that one piece of work has to itself. `broken`: it must not be used again. */
export interface Lent {
  readonly connection: TediousConnection
  broken: boolean
}

/** A few connections to one server, made when they are needed. tedious has no pool. */
export class MssqlPool {
  readonly #tedious: Tedious
  readonly #config: object
  readonly #most: number
  readonly #idle: Lent[] = []
  readonly #waiting: (() => void)[] = []
  #open = 0
  #isClosed = false

  constructor(tedious: Tedious, config: object, most: number) {
    this.#tedious = tedious
    this.#config = config
    this.#most = most
  }

  /** Does work on a connection of its own, and waits for one where all are in use. */
  async use<T>(work: (lent: Lent) => Promise<T>): Promise<T> {
    const lent = await this.#take()
    try {
      return await work(lent)
    } finally {
      if (lent.broken || this.#isClosed) this.#drop(lent)
      else this.#idle.push(lent)
      this.#waiting.shift()?.()
    }
  }

  close(): Promise<void> {
    this.#isClosed = true
    for (const lent of this.#idle.splice(0)) this.#drop(lent)
    return Promise.resolve()
  }

  async #take(): Promise<Lent> {
    for (;;) {
      const idle = this.#idle.pop()
      if (idle && !idle.broken) return idle
      if (idle) this.#drop(idle)
      else if (this.#open < this.#most) return this.#connect()
      else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async #connect(): Promise<Lent> {
    this.#open++
    const lent: Lent = { connection: new this.#tedious.Connection(this.#config), broken: false }
    // Without a listener an error of an idle connection would end the process.
    for (const event of ['error', 'end'] as const) lent.connection.on(event, () => (lent.broken = true))
    try {
      await new Promise<void>((resolve, reject) => {
        lent.connection.connect((error) => (error ? reject(error) : resolve()))
      })
      countMssql(lent.connection)
      return lent
    } catch (error) {
      this.#drop(lent)
      this.#waiting.shift()?.()
      throw error
    }
  }

  #drop({ connection }: Lent): void {
    this.#open--
    connection.close()
  }
}
