import { ArchiverError } from '../../errors.ts'
import { endPostgres } from '../../sql/end-postgres.ts'
import { GOODBYE, type Connections } from './connection.ts'

export interface ExclusiveOptions {
  readonly schema: string
  /** What the lock is for, such as `artdaqdb index`. */
  readonly what: string
  /** Milliseconds. A holder that is frozen or vanished loses the lock after it; one that waits gives up after it. */
  readonly lease: number
}

/**
 * Does `work` as the only one of all instances, on all machines: an advisory lock of the server, in a transaction of a connection of its
 * own. A holder that is frozen is ended by the server after the lease, because it asks nothing any more. Throws QUEUE_UNAVAILABLE after the
 * work where the lock was lost meanwhile: then it may have run beside another's, and does not count.
 */
export const exclusively = async <Result>(
  connections: Connections,
  { schema, what, lease }: ExclusiveOptions,
  work: () => Promise<Result>,
): Promise<Result> => {
  const client = await connections.connect()
  const alive = setInterval(() => void client.query('SELECT 1').catch(() => undefined), lease / 4)
  try {
    try {
      await client.query(`BEGIN`)
      await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(lease)}`)
      await client.query(`SET LOCAL lock_timeout = ${Math.ceil(lease)}`)
      const waits = {
        text: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`,
        values: [`run-archiver lock ${schema} ${what}`],
        // The server ends the waiting; one that does not even do that is away.
        query_timeout: lease + ANSWER,
      }
      await client.query(waits)
    } catch (error) {
      throw connections.unavailable(error)
    }
    const result = await work()
    try {
      await client.query('COMMIT')
    } catch (error) {
      throw new ArchiverError('QUEUE_UNAVAILABLE', `the lock on the ${what} was lost while it was written`, {
        cause: error,
      })
    }
    return result
  } finally {
    clearInterval(alive)
    await endPostgres(client, GOODBYE)
  }
}

/** Milliseconds that the server may take to say that the time to wait is over. */
const ANSWER = 5000
