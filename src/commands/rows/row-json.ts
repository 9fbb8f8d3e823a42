type Row = Readonly<Record<string, string | null>>

/** Columns of the log tables that are numbers; every other one is a text. */
const NUMBERS =
  /^(?:id|process_pid|total_files|processed_files|current_batch|batch_number|replica_lag|hll_value|conflicts|throttled_ms|total_batches|processed_batches|records_processed|executions|batches|ids|inserted|deleted|failed|duration_ms)$/

/** A row of the log tables for a JSON document: numbers as numbers, an empty cell as null. */
export const rowJson = (row: Row): Readonly<Record<string, string | number | null>> =>
  Object.fromEntries(
    Object.entries(row).map(([name, text]) => [
      name,
      text === null || !NUMBERS.test(name) ? text : Number(text),
    ]),
  )

/** A command's one document. */
export const documentText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
