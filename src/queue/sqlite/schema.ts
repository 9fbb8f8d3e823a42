import type { SqliteFile } from '../../sql/libsql-database.ts'
import { ArchiverError } from '../../errors.ts'

/** The version of the tables, in `user_version`. A file of a later version is refused. */
const VERSION = 5

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

/** Version 2: a leader by lease, and counts that triggers keep, so that nobody has to read all items for them. */
const SECOND = `
CREATE TABLE IF NOT EXISTS leaders (
  role TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at INTEGER NOT NULL, scan_began_at INTEGER, scan_added INTEGER,
  scan_wanted_at INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS work_oldest ON work (stage, added_at) WHERE status = 'pending';
ALTER TABLE stages ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stages ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stages ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stages ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
INSERT OR IGNORE INTO stages (stage) SELECT DISTINCT stage FROM work;
UPDATE stages SET (pending, claimed, done, failed) = (SELECT count(*) FILTER (WHERE status = 'pending'),
  count(*) FILTER (WHERE status = 'claimed'), count(*) FILTER (WHERE status = 'done'), count(*) FILTER (WHERE status = 'failed')
  FROM work w WHERE w.stage = stages.stage);
CREATE TRIGGER work_added AFTER INSERT ON work BEGIN
  INSERT OR IGNORE INTO stages (stage) VALUES (NEW.stage);
  UPDATE stages SET pending = pending + (NEW.status = 'pending'), claimed = claimed + (NEW.status = 'claimed'),
    done = done + (NEW.status = 'done'), failed = failed + (NEW.status = 'failed') WHERE stage = NEW.stage;
END;
CREATE TRIGGER work_changed AFTER UPDATE OF status ON work WHEN OLD.status <> NEW.status BEGIN
  UPDATE stages SET pending = pending + (NEW.status = 'pending') - (OLD.status = 'pending'),
    claimed = claimed + (NEW.status = 'claimed') - (OLD.status = 'claimed'),
    done = done + (NEW.status = 'done') - (OLD.status = 'done'),
    failed = failed + (NEW.status = 'failed') - (OLD.status = 'failed') WHERE stage = NEW.stage;
END;
`

/** Version 3: what each instance was given, how fast it is, and how much of its machine it wants. */
const THIRD = ['claims', 'workers', 'processors', 'minute', 'ended_in_minute', 'ended_before']
  .map((column) => `ALTER TABLE instances ADD COLUMN ${column} INTEGER NOT NULL DEFAULT 0;`)
  .join('\n')

/** Version 4: the clock that all processes of one boot share. */
const FOURTH =
  'CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), boot_id TEXT NOT NULL, distance INTEGER NOT NULL);'

/** Version 5: what is asked for every few seconds is found without reading what is done. */
const FIFTH = `
CREATE INDEX IF NOT EXISTS work_ordered ON work (stage, ordinal, key);
CREATE INDEX IF NOT EXISTS work_failed ON work (stage, ordinal, key) WHERE status = 'failed';
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
    // Another process may have made them while this one waited.
    const [now] = file.prepare('PRAGMA user_version').all([]) as { user_version: number }[]
    if ((now?.user_version ?? 0) < 1) file.exec(TABLES)
    if ((now?.user_version ?? 0) < 2) file.exec(SECOND)
    if ((now?.user_version ?? 0) < 3) file.exec(THIRD)
    file.exec(FOURTH)
    file.exec(FIFTH)
    file.exec(`PRAGMA user_version = ${VERSION}`)
    file.exec('COMMIT')
  } catch (error) {
    file.exec('ROLLBACK')
    throw error
  }
}
