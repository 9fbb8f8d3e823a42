import { openSession } from '../sql/open-session.ts'
import type { Session, SessionOptions } from '../sql/session.ts'
import type { Dialect } from './dialects/dialect.ts'
import { mysql } from './dialects/mysql.ts'
import { postgres } from './dialects/postgres.ts'

export const dialectFor = (session: Session): Dialect => (session.dialect === 'mysql' ? mysql : postgres)

export interface Places {
  readonly source: SessionOptions
  /** Left out: the archive is on the source's connection. */
  readonly archive: SessionOptions | undefined
  /** Left out: the log tables are on the source's connection, in its transaction. */
  readonly log: SessionOptions | undefined
  /** MariaDB and MySQL: write changes of these connections into the binary log as rows, whatever the server's format is, where the user may. */
  readonly logsRows?: boolean
}

/** The connections of a run; all of them are made anew when one breaks. */
export interface Connections {
  readonly source: Session
  readonly archive: Session
  readonly log: Session
  close(): Promise<void>
  destroy(): void
}

export const connect = async (places: Places): Promise<Connections> => {
  const opened: Session[] = []
  const open = async (options: SessionOptions): Promise<Session> => {
    const session = await openSession(options)
    opened.push(session)
    if (places.logsRows === true && session.dialect === 'mysql')
      await session.run("SET SESSION binlog_format = 'ROW'").catch(() => undefined) // preflight sees what is refused then
    return session
  }
  const destroy = (): void => {
    for (const session of opened) session.destroy()
  }
  try {
    const source = await open(places.source)
    const archive = places.archive ? await open(places.archive) : source
    const log = places.log ? await open(places.log) : source
    const close = async (): Promise<void> => {
      await Promise.all(opened.map((session) => session.close()))
    }
    return { source, archive, log, close, destroy }
  } catch (error) {
    destroy()
    throw error
  }
}
