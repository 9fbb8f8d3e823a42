import type { Trouble } from '../steady.ts'
import { Notice, Time } from './parts.tsx'

/** That the ledger is away, since when, and of when what is shown is. */
export const TroubleNotice = ({ trouble, now }: { trouble: Trouble; now: number }) => (
  <Notice kind="e">
    <b>
      The ledger does not answer since <Time at={trouble.since} now={now} />.
    </b>{' '}
    Archiving goes on; what it does waits in ledger-spool.jsonl.{' '}
    {trouble.shownFrom !== undefined && (
      <>
        Shown below: the state of <Time at={trouble.shownFrom} now={now} />.
      </>
    )}
    <br />
    <span class="sub">
      {trouble.message} [{trouble.code}]
    </span>
  </Notice>
)
