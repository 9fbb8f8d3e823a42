/**
 * A process of its own that claims items and holds them, for tests of takeover. Lines on stdin steer it: `claim N`, `settle`, `settle unfenced`
 * (the control: it records its result by the key alone). It answers each with a line of JSON.
 */
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import pg from 'pg'
import type { Claim } from '../../src/engine/backlog.ts'
import type { ClaimStore } from '../../src/engine/claim-store.ts'
import { identity, monotonic, now, sinceBoot, startTicks } from '../../src/platform/host.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { QueueBacklog } from '../../src/queue/queue-backlog.ts'
import { SqliteQueue } from '../../src/queue/sqlite/sqlite-queue.ts'
import { openFile } from '../../src/sql/libsql-database.ts'

export interface HolderPlace {
  readonly path?: string
  readonly server?: string
  readonly schema?: string
  readonly lease: number
}

export const openStore = (place: HolderPlace, works: boolean): Promise<ClaimStore> => {
  const who = identity()
  const common = {
    instance: `${who.pid}-${randomUUID().slice(0, 8)}`,
    identity: who,
    lease: place.lease,
    monotonic,
    works,
  }
  return place.path === undefined
    ? PostgresQueue.open({
        ...common,
        server: place.server ?? '',
        password: undefined,
        schema: place.schema ?? '',
        lookEvery: 900, // as a worker
      })
    : SqliteQueue.open({ ...common, path: place.path, now, sinceBoot, startTicksOf: startTicks })
}

/** What an engine does that ends an item by its key alone. */
const settleUnfenced = async (place: HolderPlace, keys: readonly string[]): Promise<number> => {
  if (place.path !== undefined) {
    const file = openFile(place.path, 5000)
    const done = keys.map((key) =>
      Number(
        file.prepare(`UPDATE work SET status = 'done' WHERE key = ? AND status = 'claimed'`).run([key])
          .changes,
      ),
    )
    file.close()
    return done.reduce((sum, one) => sum + one, 0)
  }
  const client = new pg.Client({ connectionString: place.server })
  await client.connect()
  const { rowCount } = await client.query(
    `UPDATE ${place.schema ?? ''}.job SET state = 'completed' WHERE data->>'key' = ANY($1) AND state = 'active'`,
    [keys],
  )
  await client.end()
  return rowCount ?? 0
}

const main = async (place: HolderPlace): Promise<void> => {
  const say = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)
  const store = await openStore(place, true)
  const backlog = new QueueBacklog<number>(store, {
    stage: 'import',
    itemOf: Number,
    lease: place.lease,
    laterAfter: 1000,
    monotonic,
  })
  let held: Claim<number>[] = []
  say('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, how] = line.split(' ')
    if (word === 'claim') {
      // Where little is left, a claim is smaller than what was asked for.
      held = []
      for (let more = await backlog.next(1); more.length > 0; more = await backlog.next(1)) {
        held.push(...more)
        if (held.length === Number(how)) break
      }
      say(held.map(({ key }) => key))
    } else if (how === 'unfenced')
      say(
        await settleUnfenced(
          place,
          held.map(({ key }) => key),
        ),
      )
    else
      say({
        // What a worker asks before it acts on an item: whether the claim still holds.
        lost: (await backlog.renew(), held.filter(({ lost }) => lost?.aborted).length),
        refused: await backlog.settle({ done: held, failed: [] }).catch(() => held.map(({ key }) => key)),
      })
  }
}

const [place] = process.argv.slice(2)
if (place?.startsWith('{')) await main(JSON.parse(place) as HolderPlace)
