import type { RunAttempt, RunReads, RunsSnapshot } from '../model.ts'
import { count, plural } from '../text.ts'
import type { Ask } from '../view.ts'
import { Cmd, Panel, Skeleton } from './parts.tsx'
import { failedCount, Legend } from './runs.tsx'

const Zoom = () => (
  <div class="seg" role="group" aria-label="Zoom">
    <button type="button" data-zoom="all" aria-pressed="false">
      All
    </button>
    <button type="button" data-zoom="10000" aria-pressed="true">
      10 000
    </button>
    <button type="button" data-zoom="1000" aria-pressed="false">
      1 000
    </button>
  </div>
)

/** The canvas map; without a script the tables hold the same. */
export const MapPanel = ({ snapshot }: { snapshot: RunsSnapshot }) => (
  <Panel
    title="Map"
    id="map"
    cls="mapp js-only"
    sub={<span id="map-sub">one cell is one run; a row is a hundred</span>}
    aside={<Zoom />}
  >
    <div class="maptools">
      <Legend snapshot={snapshot} filter />
      <div class="pager">
        <button type="button" class="btn sm" id="prev" aria-label="Lower runs">
          ‹
        </button>
        <output id="range" class="num"></output>
        <button type="button" class="btn sm" id="next" aria-label="Higher runs">
          ›
        </button>
      </div>
    </div>
    <div class="atlas">
      <canvas
        id="atlas"
        tabindex={0}
        role="application"
        aria-roledescription="run map"
        aria-label="Run map. Arrows move, Enter opens the run, plus and minus zoom, n goes to the next failed run."
        aria-describedby="celltext"
        data-src="/api/v1/runs/map"
        data-path="/runs"
      ></canvas>
      <Skeleton />
    </div>
    <p id="celltext" class="celltext" aria-live="polite"></p>
  </Panel>
)

/** What a retry would do: how many of which stage, and what it leaves out. */
export const RetryDialog = ({
  snapshot,
  attempts,
  runs,
  ask,
}: {
  snapshot: RunsSnapshot
  attempts: readonly RunAttempt[]
  runs: RunReads
  ask: Ask
}) => {
  const conflicts = new Set(attempts.filter(({ code }) => code === 'CONFLICT').map(({ run }) => run))
  const stages = (['import', 'migrate'] as const).flatMap((stage) => {
    const marks = snapshot[stage]
    if (!marks.known || marks.value.failed.isEmpty) return []
    const left = [...marks.value.failed].filter((run) => conflicts.has(run)).length
    return [{ stage, all: marks.value.failed.size, left }]
  })
  return (
    <dialog id="retry" aria-labelledby="retry-h">
      <h2 id="retry-h">Retry {plural(failedCount(snapshot), 'failed run')}</h2>
      <p>Starts a pass on this host as soon as the lock is free. Nothing in a store is overwritten.</p>
      {stages.map(({ stage, all, left }) => (
        <form method="post" action={`/actions/retry/${stage}`}>
          <p>
            {plural(all, 'run')} at {stage}
            {left > 0 && `; ${count(left)} of them are conflicts and fail again until a person decides`}
          </p>
          <Cmd c={`run-archiver ${runs.config} --retry-failed-${stage}`} />
          <div class="row">
            <button class="btn pri" disabled={!ask.mayAct}>
              Retry {stage}
            </button>
          </div>
        </form>
      ))}
      {!ask.mayAct && (
        <p class="sub">
          Read only. {ask.hasToken ? <a href="/login">Sign in</a> : 'Use the commands above.'}
        </p>
      )}
      <form method="dialog">
        <button class="btn">Close</button>
      </form>
    </dialog>
  )
}
