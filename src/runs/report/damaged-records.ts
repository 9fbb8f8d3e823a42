/** A warning for each record that waits and looks damaged, of the reasons why runs wait. */
export const damagedRecords = (waiting: ReadonlyMap<number, string>): readonly string[] =>
  [...waiting].flatMap(([run, reason]) =>
    reason.startsWith('damaged: ') ? [`the record of run ${run} looks damaged: ${reason.slice(9)}`] : [],
  )

/** The same for those that were archived as they were. */
export const archivedDamagedRecords = (records: ReadonlyMap<number, string> = new Map()): readonly string[] =>
  [...records].map(
    ([run, damage]) => `the record of run ${run} looks damaged, and was archived as it is: ${damage}`,
  )
