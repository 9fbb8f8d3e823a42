import { Chip, Glyph } from '../components/glyph.tsx'
import { Empty, Panel, Time } from '../components/parts.tsx'
import { Arrow, CopyBox } from '../components/copies.tsx'
import { Advice, failedAttempt } from '../components/run-advice.tsx'
import { Files, Neighbours } from '../components/run-files.tsx'
import { isUnknown, placesOf, STANDINGS } from '../components/runs.tsx'
import type { RunAttempt, RunsSnapshot } from '../model.ts'
import { type MapState, stateOf } from '../runs/run-map.ts'
import { count, plural, rangeText, span } from '../text.ts'
import type { Ask, View } from '../view.ts'
import { noArchiver } from './runs.tsx'

/** Whether a place that was never read may hold the run: then its state is not known. */
const isOpen = (state: MapState, snapshot: RunsSnapshot): boolean =>
  state !== 1 && state !== 3 && isUnknown(snapshot)

const sentence = (run: number, state: MapState, snapshot: RunsSnapshot, story: readonly RunAttempt[]) => {
  const newest = failedAttempt({ run, snapshot, story })
  if (isOpen(state, snapshot))
    return snapshot.isListing ? (
      <>The stores are being listed: where this run is, is not known yet.</>
    ) : (
      <>Cannot read {placesOf(snapshot)}: where this run is, is not known.</>
    )
  switch (state) {
    case 1:
      return <>The archive holds it.</>
    case 2:
      return (
        <>
          It is in artdaqDB and <b>not archived yet</b>. The next migrate pass takes it.
        </>
      )
    case 3:
      return (
        <>
          {newest ? `at ${newest.stage}: ${newest.error ?? newest.code ?? 'no message was left'}` : ''}{' '}
          {newest?.code === 'CONFLICT' && 'Nothing was overwritten.'}
        </>
      )
    case 4:
      return <>Taken, not archived yet. The next pass takes it.</>
    case 5:
      return <>Taken, not ready: {snapshot.waiting.get(run) ?? 'its record is not complete yet'}.</>
    case 0:
      return run < snapshot.map.first || run > snapshot.map.last ? (
        <>This number is outside the runs known here.</>
      ) : (
        <>No place holds this number. It was never taken, or it was lost before this archiver saw it.</>
      )
  }
}

const Story = ({ story, now }: { story: readonly RunAttempt[] | undefined; now: number }) => (
  <Panel title="Story" id="story" cls="grow" sub="newest first, from the ledger">
    {story === undefined ? (
      <Empty what="The ledger does not answer: what was tried is not known." />
    ) : story.length === 0 ? (
      <Empty what="The ledger holds no attempt of this run." />
    ) : (
      <ol class="tl">
        {story.map((attempt) => (
          <li class={`t-${attempt.standing}`}>
            <Time at={attempt.endedAt ?? attempt.startedAt} now={now} />
            <Glyph s={attempt.standing} label={attempt.standing} />
            <div>
              <b>
                {attempt.stage === 'import'
                  ? 'Import'
                  : attempt.stage === 'migrate'
                    ? 'Migration'
                    : attempt.stage}{' '}
                {attempt.standing === 'ok' ? (attempt.result ?? 'done') : attempt.standing}
              </b>
              {attempt.execution !== undefined && (
                <>
                  {' '}
                  in <a href={`/executions/${attempt.execution}`}>#{attempt.execution}</a>
                </>
              )}
              {attempt.documents ? `, ${plural(attempt.documents, 'document')}` : ''}
              {attempt.tookMs === undefined ? '' : ` in ${span(attempt.tookMs / 1000)}`}
              {(attempt.attempts ?? 1) > 1 ? `, try ${count(attempt.attempts ?? 1)}` : ''}
              {attempt.error && (
                <p>
                  {attempt.code && `[${attempt.code}] `}
                  {attempt.error}
                </p>
              )}
            </div>
          </li>
        ))}
      </ol>
    )}
  </Panel>
)

/** `/runs/N`: what happened to this run? */
export const runPage = async (run: number, ask: Ask): Promise<View> => {
  const { ledger, runs } = ask.sources
  if (!runs) return noArchiver(`Run ${count(run)}`)
  const [snapshot, copies, told] = await Promise.all([
    runs.snapshot(),
    runs.copies(run),
    ledger ? ledger.story(run).catch(() => undefined) : [],
  ])
  const story = told ?? []
  const state = stateOf(snapshot.map, run)
  const from = Math.floor(run / 100) * 100
  return {
    key: 'runs',
    title: `Run ${count(run)}`,
    crumbs: (
      <>
        <a href="/runs">Runs</a> / <span class="num">{rangeText(from, from + 99)}</span>
      </>
    ),
    say: (
      <>
        {isOpen(state, snapshot) ? (
          <Chip s="none" word="Not known" big />
        ) : (
          <Chip s={STANDINGS[state] ?? 'none'} word={state === 1 ? 'Archived' : undefined} big />
        )}{' '}
        {sentence(run, state, snapshot, story)}
      </>
    ),
    aside: (
      <>
        {run > 1 && (
          <a class="btn" href={`/runs/${run - 1}`}>
            ‹ {count(run - 1)}
          </a>
        )}
        <a class="btn" href={`/runs/${run + 1}`}>
          {count(run + 1)} ›
        </a>
      </>
    ),
    blocks: [
      {
        id: 'b-where',
        body: (
          <Panel
            id="where"
            title="Where it is"
            sub={
              copies.damage !== undefined ? (
                <b>DAMAGED: {copies.damage}</b>
              ) : copies.unknown !== undefined ? (
                `what the scrub found is not known: ${copies.unknown}`
              ) : copies.comparedAt === undefined ? (
                'not compared by the scrub yet'
              ) : (
                <>
                  all copies last compared at <Time at={copies.comparedAt} now={ask.now} />
                </>
              )
            }
          >
            <ol class="places">
              <CopyBox title="Run record" copy={copies.record} />
              <Arrow stage="import" story={story} now={ask.now} />
              <CopyBox title="artdaqDB" copy={copies.artdaq} failed={failedAt(story, 'import')} />
              <Arrow stage="migrate" story={story} now={ask.now} />
              <CopyBox title="Archive" copy={copies.archive} failed={failedAt(story, 'migrate')} />
            </ol>
          </Panel>
        ),
      },
      {
        id: 'b-story',
        body: (
          <div class="cols">
            <Story story={told} now={ask.now} />
            <div class="stack">
              {!isOpen(state, snapshot) && (
                <Advice run={run} state={state} config={runs.config} snapshot={snapshot} story={story} />
              )}
              <Files copies={copies} />
            </div>
          </div>
        ),
      },
      ...(isUnknown(snapshot) ? [] : [{ id: 'b-near', body: <Neighbours run={run} snapshot={snapshot} /> }]),
    ],
    live: true,
  }
}

const failedAt = (story: readonly RunAttempt[], stage: string): boolean =>
  story.find((attempt) => attempt.stage === stage)?.standing === 'failed'
