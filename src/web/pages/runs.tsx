import { BandBox } from '../components/band.tsx'
import { Cmd, Empty, Exports, Notice, Panel, Time } from '../components/parts.tsx'
import { MapPanel, RetryDialog } from '../components/run-map.tsx'
import { FailedTable, GapTable } from '../components/run-tables.tsx'
import { failedCount, isUnknown, Marks, missingSentence, onTheirWay } from '../components/runs.tsx'
import type { RunsSnapshot } from '../model.ts'
import { proofSentence } from '../proof.ts'
import { count, plural } from '../text.ts'
import type { Ask, Block, View } from '../view.ts'

const YEAR = 400 * 86_400_000

const sentence = (snapshot: RunsSnapshot, now: number) => {
  const { map } = snapshot
  const missing = missingSentence(snapshot, now)
  if (isUnknown(snapshot)) return missing
  if (map.last === 0) return <>No run has been taken yet.</>
  const failed = failedCount(snapshot)
  return (
    <>
      <b class="num">{count(map.sets[1]?.size ?? 0)}</b> of {plural(map.taken.size, 'run')} taken are
      archived. {failed > 0 ? <b>{count(failed)} failed</b> : 'None failed'}, {count(map.sets[2]?.size ?? 0)}{' '}
      are in artdaqDB only, {count(onTheirWay(snapshot) - (map.sets[2]?.size ?? 0))} wait at the detector.
      {missing && <> {missing}</>}
    </>
  )
}

/** The places that cannot be read, each with its reason. */
const Unreadable = ({ snapshot }: { snapshot: RunsSnapshot }) => (
  <Notice kind="e">
    {snapshot.unreadable.map((text) => (
      <p>
        <b>Cannot be read:</b> {text}
      </p>
    ))}
    <p class="sub">
      {isUnknown(snapshot)
        ? 'What such a place holds is not known here: its runs are drawn from the other places.'
        : 'Its runs are drawn as they were when it was last read.'}
    </p>
  </Notice>
)

/** `/runs`: what is archived? */
export const runsPage = async (ask: Ask): Promise<View> => {
  const { ledger, runs } = ask.sources
  if (!runs) return noArchiver('Runs')
  const [snapshot, attempts] = await Promise.all([
    runs.snapshot(),
    // What the places hold is shown without the ledger, too; a notice says that it is away.
    ledger ? ledger.failures(ask.now - YEAR, 2000).catch(() => undefined) : [],
  ])
  const blocks: Block[] = []
  if (snapshot.unreadable.length > 0)
    blocks.push({
      id: 'b-unreadable',
      body: <Unreadable snapshot={snapshot} />,
    })
  if (snapshot.map.last === 0 && !isUnknown(snapshot))
    blocks.push({
      id: 'b-empty',
      body: (
        <Panel id="none">
          <Empty what="No run has been archived here yet." sub="The first pass fills this page. Start one:">
            <Cmd c={`run-archiver ${runs.config}`} />
          </Empty>
        </Panel>
      ),
    })
  else if (snapshot.isListing)
    blocks.push({
      id: 'b-listing',
      body: (
        <Panel id="none">
          <Empty
            what="The stores are being listed."
            sub="Nothing has listed them before. Where they hold a million runs it takes a minute; the map comes by itself."
          />
        </Panel>
      ),
    })
  else if (snapshot.map.last > 0)
    blocks.push(
      {
        id: 'b-whole',
        body: (
          <Panel
            title="Whole range"
            id="whole"
            sub={
              <>
                two lanes, one a stage; read at <Time at={snapshot.at} now={ask.now} />
              </>
            }
          >
            <BandBox snapshot={snapshot} brush />
            <Marks snapshot={snapshot} />
            {snapshot.proof && !snapshot.proof.held.isEmpty && (
              <p class="sub">{proofSentence(snapshot.proof, ask.now)}</p>
            )}
          </Panel>
        ),
      },
      { id: 'b-map', body: <MapPanel snapshot={snapshot} /> },
      {
        id: 'b-tables',
        body: (
          <div class="cols even">
            <Panel
              title="Failed"
              id="fl"
              sub={`${plural(failedCount(snapshot), 'run')}, newest first`}
              aside={<a href="/failures">by cause</a>}
            >
              <FailedTable snapshot={snapshot} attempts={attempts} />
              <Exports api="/api/v1/runs?state=failed" />
            </Panel>
            <Panel title="Gaps" id="gp" sub="numbers in none of the three places, and runs on their way">
              <GapTable snapshot={snapshot} />
              <Exports api="/api/v1/runs/gaps" />
            </Panel>
          </div>
        ),
      },
    )
  return {
    key: 'runs',
    title: 'Runs',
    say: sentence(snapshot, ask.now),
    aside: (
      <>
        <a class="btn" href="/failures?by=run">
          Failed runs
        </a>
        {failedCount(snapshot) > 0 && (
          <button class="btn pri js-only" type="button" data-dialog="retry">
            Retry failed…
          </button>
        )}
      </>
    ),
    blocks,
    dialogs: <RetryDialog snapshot={snapshot} attempts={attempts ?? []} runs={runs} ask={ask} />,
    live: true,
  }
}

/** A page about runs where serve was started with a ledger alone. */
export const noArchiver = (title: string): View => ({
  key: 'runs',
  title,
  say: 'This page was started with a ledger alone; it sees no run records.',
  blocks: [
    {
      id: 'b-empty',
      body: (
        <Panel id="none">
          <Empty
            what="No archiver is configured here."
            sub="Start the page with the archiver's configuration:"
          >
            <Cmd c="run-archiver serve --config config.yaml" />
          </Empty>
        </Panel>
      ),
    },
  ],
  live: false,
})
