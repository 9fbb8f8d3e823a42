import { fairShare } from '../fair-share.ts'
import type { Work } from './claims.ts'
import type { Row } from './connection.ts'
import { queueName } from './jobs.ts'

/** What is left in a stage, and how many instances share it. */
export interface Left {
  /** Pending, or in hand. */
  readonly open: number
  readonly instances: number
  /** Nothing is handed out: the stage is paused or blocked. */
  readonly halted: boolean
}

/** SQL of the columns of `Left`; `stage` and `schema` stand in it as they are. */
export const leftSql = (schema: string, stage: string): string =>
  `(SELECT coalesce(sum(added - done - failed), 0) FROM ${schema}.archiver_tallies t WHERE t.stage = ${stage}) AS open,
   (SELECT count(*) FROM ${schema}.archiver_instances WHERE status = 'running') AS instances,
   EXISTS (SELECT 1 FROM ${schema}.archiver_stages p WHERE p.stage = ${stage}
     AND (p.paused_at IS NOT NULL OR p.blocked_until > clock_timestamp())) AS halted`

export const leftOf = (row: Row | undefined): Left => ({
  open: Number(row?.['open']),
  instances: Number(row?.['instances']),
  halted: row?.['halted'] === true,
})

/** Reads sums, and no items. */
const leftIn = async ({ sql, schema }: Work, stage: string): Promise<Left> => {
  const { rows } = await sql.executeSql(`SELECT ${leftSql(schema, '$1')}`, [queueName(stage)])
  return leftOf(rows[0])
}

/** Milliseconds for which is believed what the last claim saw. */
const BELIEVED = 1000

/** What is left in each stage, as this instance saw it last: most claims need no look of their own. */
export class LeftInStages {
  readonly #monotonic: () => number
  readonly #seen = new Map<string, Left & { readonly at: number }>()

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  /** What a claim saw; undefined where it found nothing. */
  note(stage: string, left: Left | undefined): void {
    if (left) this.#seen.set(stage, { ...left, at: this.#monotonic() })
    else this.#seen.delete(stage)
  }

  /** How many of `most` items this instance may take; 0 where nothing is handed out. */
  async shareOf(work: Work, stage: string, most: number): Promise<number> {
    const seen = this.#seen.get(stage)
    const isNew = seen !== undefined && this.#monotonic() - seen.at < BELIEVED
    const { open, instances, halted } = isNew ? seen : await leftIn(work, stage)
    return halted ? 0 : fairShare(most, open, instances)
  }
}
