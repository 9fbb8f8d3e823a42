import type { Counts } from '../batch.ts'

/** The counts of a batch as columns of `batch_processing_logs`. */
export const countCells = (counts: Counts) => ({
  rows_inserted: counts.inserted,
  rows_deleted: counts.deleted,
  already_archived: counts.alreadyArchived,
  conflicts: counts.conflicts,
  not_found: counts.notFound,
  already_archived_live: counts.alreadyArchivedLive,
  appeared: counts.appeared,
  repeated: counts.repeated,
  held_back: counts.heldBack,
  children_inserted: counts.childrenInserted,
  children_deleted: counts.childrenDeleted,
  child_conflicts: counts.childConflicts,
})
