import type { SqlDialect } from '../../sql/session.ts'

const WAYS: Readonly<Record<SqlDialect, readonly string[]>> = {
  mysql: [
    'CREATE TABLE out_PART LIKE LIVE; ALTER TABLE out_PART REMOVE PARTITIONING;',
    'ALTER TABLE LIVE EXCHANGE PARTITION PART WITH TABLE out_PART;',
    'then out_PART is an archive of its own; or ALTER TABLE KEPT EXCHANGE PARTITION PART WITH TABLE out_PART, where KEPT has the same partition, empty',
  ],
  postgres: [
    'ALTER TABLE LIVE DETACH PARTITION PART CONCURRENTLY;',
    'then PART is an archive of its own; or ALTER TABLE KEPT ATTACH PARTITION PART FOR VALUES ..., where KEPT is partitioned by the same key',
  ],
}

const CONDITIONS: Readonly<Record<SqlDialect, string>> = {
  mysql:
    'nobody writes into the partition meanwhile (what comes in goes along), both tables have the same columns and indexes, neither has foreign keys',
  postgres:
    'nobody writes into the partition meanwhile (what comes in goes along), no foreign key refers to its rows, LIVE has no default partition (else without CONCURRENTLY), KEPT has the same columns',
}

/** What moves a whole partition without copying a row. It is only named: it compares nothing, and leaves no trace in the log tables. */
export const partitionHint = (
  partitions: readonly string[],
  { live, kept, dialect }: { live: string; kept: string; dialect: SqlDialect },
  isDone: boolean,
): readonly string[] => {
  const [part] = partitions
  if (part === undefined) return []
  const named = (text: string): string =>
    text.replace(/\b(?:LIVE|KEPT)\b|PART\b(?!ITION)/g, (word) =>
      word === 'LIVE' ? live : word === 'KEPT' ? kept : part,
    )
  const list =
    partitions.slice(0, 10).join(', ') +
    (partitions.length > 10 ? `, and ${partitions.length - 10} more` : '')
  return [
    isDone
      ? `  no row is left in whole partitions (${list}). The next one can go without copying a row:`
      : `  the ids are all rows of whole partitions (${list}). Those can go without copying a row:`,
    ...WAYS[dialect].map((line) => `    ${named(line)}`),
    `    if ${named(CONDITIONS[dialect])}`,
  ]
}
