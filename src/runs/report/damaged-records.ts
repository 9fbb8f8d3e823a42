/** A warning for each record that waits and looks damaged, of the reasons why runs wait. */
export const damagedRecords = (waiting: ReadonlyMap<number, string>): readonly string[] =>
  [...waiting].flatMap(([run, reason]) =>
    reason.startsWith('damaged: ') ? [`the record of run ${run} looks damaged: ${reason.slice(9)}`] : [],
  )
