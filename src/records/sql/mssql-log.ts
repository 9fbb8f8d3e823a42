import type { KeyType } from '../mapping/model.ts'
import { quoted } from './dialect.ts'

const LOG = '[processing_log]'

/**
 * The INSERT of an item's log row that does nothing where the item has one; its values, then task and key again. The locks keep the gap: a second
 * worker waits here for the end of the first one's transaction. No MERGE, which lets two workers pass.
 */
export const mssqlLogInsert = (names: readonly string[]): string =>
  `INSERT INTO ${LOG} (${names.join(', ')}) SELECT ${names.map(() => '?').join(', ')} WHERE NOT EXISTS (SELECT 1 FROM ${LOG} WITH (UPDLOCK, HOLDLOCK) WHERE task = ? AND app_id = ?)`

/** Makes `processing_log` where it is missing. Texts compare by code point, so that two keys that differ in case are two. */
export const mssqlLogTable = (keyType: KeyType, name: string): string => {
  const table = quoted('mssql', name)
  const key = keyType === 'bigint' ? 'bigint' : 'nvarchar(255) COLLATE Latin1_General_100_BIN2'
  return `IF OBJECT_ID(N'${table}') IS NULL CREATE TABLE ${table} (
  log_id bigint IDENTITY(1, 1) PRIMARY KEY, app_id ${key} NOT NULL, status varchar(20) NOT NULL, failure_reason nvarchar(500), processing_time datetime2(3),
  session_id varchar(50), app_id_start ${key}, app_id_end ${key}, task nvarchar(100) NOT NULL, instance_id int, instance_count int,
  retry_count int NOT NULL DEFAULT 0, stage varchar(20), code varchar(40), detail nvarchar(max), warnings nvarchar(max), result varchar(10),
  rows_written int NOT NULL DEFAULT 0, tables nvarchar(max), payload_sha256 varchar(64), payload_bytes bigint, mapping_sha256 varchar(64),
  epoch int NOT NULL DEFAULT 1, started_at datetime2(3), duration_ms bigint, processed_at AS processing_time, UNIQUE (task, app_id))`
}
