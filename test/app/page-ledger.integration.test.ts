import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keptOpen } from '../../src/app/kept-open.ts'
import { pageLedger, type PageLedger } from '../../src/app/page-ledger.ts'
import { timeText } from '../../src/sql/timestamps.ts'
import { writeLedger } from '../../src/tracking/ledger/ledger-database.ts'
import { engines, freshPlace, type Place } from '../tracking/ledger/engines.ts'

const warned: string[] = []
let place: Place
let ledger: PageLedger
const open = async (dialect: Place['dialect']): Promise<void> => {
  place = await freshPlace(dialect)
  warned.length = 0
  ledger = pageLedger({
    ...{ url: place.url, workDir: place.workDir, schema: place.schema, password: undefined },
    ...{ foreignSilence: 3_600_000, version: 'test' },
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => warned.push(message),
      error: (message) => warned.push(message),
    },
  })!
}
afterEach(async () => {
  await ledger.close()
  await place.drop()
})
/** A promise, and what resolves it. */
const gate = (): { readonly opened: Promise<void>; open(): void } => {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

describe.each(await engines())('a ledger on %s that several people look at', (dialect) => {
  beforeEach(() => open(dialect))

  it('answers everybody else where one question fails', async () => {
    const [reached, wait] = [gate(), gate()]
    const slow = ledger.use(async ({ kysely }) => {
      await sql`SELECT 1`.execute(kysely)
      reached.open()
      await wait.opened
      return (await sql<{ two: number }>`SELECT 2 AS two`.execute(kysely)).rows
    })
    await reached.opened
    await expect(ledger.use(({ kysely }) => sql`SELECT * FROM nowhere`.execute(kysely))).rejects.toThrow(
      /the ledger cannot be read/,
    )
    expect(await ledger.current()).toEqual([])
    wait.open()
    expect(await slow).toMatchObject([{ two: 2 }])
    expect(await ledger.current()).toEqual([])
  })

  it('answers where an execution that died cannot be closed, and says so in the log', async () => {
    const at = timeText(Date.now() - 86_400_000)
    await ledger.use(async (database) => {
      const cells = {
        ...{ run_id: 'c0000000-0000-4000-8000-000000000001', task_name: 'dead', hostname: 'elsewhere' },
        ...{ process_id: 7, execution_start: at, last_update: at, execution_status: 'RUNNING', revision: 1 },
      }
      await writeLedger(database, [{ table: 'executions', transient: false, cells }], () => undefined)
      const table = database.schema === undefined ? 'events' : `${database.schema}.events`
      await sql.raw(`DROP TABLE ${table}${dialect === 'postgres' ? ' CASCADE' : ''}`).execute(database.kysely)
    })
    expect(await ledger.current()).toMatchObject([{ task: 'dead' }])
    expect(warned.join()).toContain('events')
  })
})

describe.skipIf(!(await engines()).includes('postgres'))('slow searches on PostgreSQL', () => {
  beforeEach(() => open('postgres'))
  it('do not keep others waiting for a session', async () => {
    const slow = [1, 2, 3, 4].map(() => ledger.use(({ kysely }) => sql`SELECT pg_sleep(3)`.execute(kysely)))
    const began = performance.now()
    expect(await ledger.current()).toEqual([])
    expect(performance.now() - began).toBeLessThan(3000)
    await Promise.all(slow)
  })
})

describe('a connection that is kept open', () => {
  it('is closed after the last one who uses it, where another question failed', async () => {
    const said: string[] = []
    const wait = gate()
    const kept = keptOpen(
      () => Promise.resolve('it'),
      () => Promise.resolve(void said.push('closed')),
    )
    const slow = kept.use(async () => {
      await wait.opened
      said.push('answered')
    })
    await expect(kept.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    wait.open()
    await slow
    await kept.close()
    expect(said).toEqual(['answered', 'closed'])
  })
  // The hook of the others looks for a ledger.
  beforeEach(() => open('sqlite'))
})
