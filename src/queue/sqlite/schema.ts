import type { SqliteFile } from '../../sql/libsql-database.ts'
import { ArchiverError } from '../../errors.ts'

/** The version of the tables, in `user_version`. A file of a later version is refused. */
const VERSION = 1

const TABLES = `
CREATE TABLE IF NOT EXISTS work (
  stage TEXT NOT NULL, key TEXT NOT NULL, ordinal INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'pending',
  epoch INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0,
  claimed_by TEXT, claimed_at INTEGER, lease_until INTEGER, not_before INTEGER NOT NULL DEFAULT 0,
  added_at INTEGER NOT NULL, finished_at INTEGER, code TEXT, message TEXT,
  PRIMARY KEY (stage, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS work_due ON work (stage, ordinal) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS work_held ON work (claimed_by, lease_until) WHERE status = 'claimed';
CREATE INDEX IF NOT EXISTS work_finished ON work (stage, finished_at) WHERE finished_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS stages (
  stage TEXT PRIMARY KEY, paused_at INTEGER, blocked_until INTEGER, blocked_reason TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instances (
  id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, start_ticks INTEGER, boot_id TEXT NOT NULL,
  status TEXT NOT NULL, started_at INTEGER NOT NULL, heartbeat_at INTEGER NOT NULL, ended_at INTEGER,
  done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, fenced INTEGER NOT NULL DEFAULT 0,
  recovered INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS processing_queue AS
  SELECT key AS app_id, claimed_by, claimed_at FROM work WHERE status = 'claimed';
CREATE VIEW IF NOT EXISTS processing_log AS
  SELECT key AS app_id, CASE status WHEN 'done' THEN 'success' WHEN 'claimed' THEN 'processing' ELSE status END AS status,
    message AS failure_reason, stage, finished_at AS processed_at FROM work;
`

/** Makes the tables where they are missing. Every commit is durable when it returns: a settled item stays settled after a power cut. */
export const prepareTables = (file: SqliteFile, path: string): void => {
  file.prepare('PRAGMA journal_mode = WAL').all([])
  file.prepare('PRAGMA synchronous = FULL').all([])
  const [row] = file.prepare('PRAGMA user_version').all([]) as { user_version: number }[]
  const version = row?.user_version ?? 0
  if (version > VERSION)
    throw new ArchiverError(
      'QUEUE_UNAVAILABLE',
      `${path} is of a later version (${version}) of this program`,
      {
        hint: 'run the version that made it, or name another file in queue.url',
      },
    )
  if (version === VERSION) return
  file.exec('BEGIN IMMEDIATE')
  try {
    file.exec(TABLES)
    file.exec(`PRAGMA user_version = ${VERSION}`)
    file.exec('COMMIT')
  } catch (error) {
    file.exec('ROLLBACK')
    throw error
  }
}
