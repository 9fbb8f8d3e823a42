import { Bar, Pair, Spark, Ticks } from '../components/bars.tsx'
import { Batches } from '../components/batches.tsx'
import { Chip, WORDS } from '../components/glyph.tsx'
import { Log } from '../components/log.tsx'
import { Choice, Cmd, Empty, Notice, Panel, Skeleton, Tile } from '../components/parts.tsx'
import { TroubleNotice } from '../components/trouble.tsx'
import type { ExecutionLine, Standing } from '../model.ts'
import type { RowsFile } from '../models/rows.ts'
import type { View } from '../view.ts'

/** A moment that never changes, so that pictures of this page can be compared. */
const NOW = Date.UTC(2026, 10, 27, 22, 14)
const COLOURS = 'bg surface sunk line ink ink-2 accent held half run warn bad idle'.split(' ')
const STANDINGS = Object.keys(WORDS) as Standing[]

const executions = STANDINGS.map(
  (standing, i) =>
    ({ standing, startedAt: NOW - (i + 2) * 60_000, endedAt: NOW - i * 1000 }) as unknown as ExecutionLine,
)

const FILE = {
  batches: 50,
  batchesDone: 15,
  duplicates: [2],
  failed: [9],
  standing: 'running',
} as unknown as RowsFile

const Parts = () => (
  <div class="cols even">
    <Panel title="States" id="p1" sub="shape and word carry the meaning; colour repeats it">
      <div class="swrow">
        {STANDINGS.map((standing) => (
          <Chip s={standing} />
        ))}
      </div>
    </Panel>
    <Panel title="Colours" id="p2">
      <div class="sw">
        {COLOURS.map((name) => (
          <div>
            <i class={`sw-${name}`} />
            <code>--{name}</code>
          </div>
        ))}
      </div>
    </Panel>
    <Panel title="Type" id="p3">
      <p class="say">Lead, 20/28: 126 301 of 126 353 runs</p>
      <p>
        Body, 14/20: nothing at a destination is ever overwritten. <b>0O 1lI 6 8 B</b>
      </p>
      <p class="sub">Small, 12.5/17: oldest 33 min</p>
      <p class="num">
        Figures 0123456789 <code>Mono 0123456789</code>
      </p>
    </Panel>
    <Panel title="Progress" id="p4">
      <Pair
        overall={52}
        overallText="Overall: subtask 2 of 4"
        part={60}
        partText="1 203 of 2 000 runs"
        eta="about 22:41, from 1 203 items"
      />
      <Pair
        overall={undefined}
        overallText="Overall: unknown"
        part={undefined}
        partText="No items were counted"
        standing="hung"
      />
      <Bar value={46} label="a share" kind="share" />
    </Panel>
    <Panel title="Small figures" id="p5">
      <dl class="tiles">
        <Tile k="Failed" v="41" s="failed" sub="5 causes" />
        <Tile k="Waiting" v="–" sub="no estimate" />
      </dl>
      <Ticks newest={executions} now={NOW} />
      <Spark values={[3, 4, 4, 9, 2, 3]} label="runs an hour" zero />
      <Batches file={FILE} />
    </Panel>
    <Panel title="Actions" id="p6">
      <Choice
        label="Range"
        current="90 d"
        items={[
          ['30 d', '/_parts'],
          ['90 d', '/_parts'],
        ]}
      />
      <p>
        <button class="btn" type="button">
          Plain
        </button>{' '}
        <button class="btn pri" type="button">
          First
        </button>{' '}
        <button class="btn danger" type="button" disabled>
          Not allowed
        </button>
      </p>
      <Cmd c="run-archiver config.yaml --retry-failed-import --runs 124300-124336" />
    </Panel>
  </div>
)

const WithoutData = () => (
  <div class="cols even">
    <Panel title="Nothing yet" id="s1">
      <Empty what="No run has been archived here yet." sub="The first pass fills this page. Start one:">
        <Cmd c="run-archiver config.yaml" />
      </Empty>
    </Panel>
    <Panel title="Nothing matches" id="s2">
      <Empty what="No execution matches.">
        <a class="btn" href="/history">
          Clear the filter
        </a>
      </Empty>
    </Panel>
    <Panel title="Not configured" id="s3">
      <Empty what="queue.url is off." sub="docs/SEVERAL_WORKERS.md says when several processes help." />
    </Panel>
    <Panel title="Database away" id="s4">
      <TroubleNotice
        trouble={{
          since: NOW - 9000,
          shownFrom: NOW - 10_000,
          message: 'connect ECONNREFUSED 127.0.0.1:5432',
          code: 'LEDGER_UNAVAILABLE',
        }}
        now={NOW}
      />
    </Panel>
    <Panel title="Live updates broke off" id="s5">
      <Notice kind="w">
        <b>Not live since 22:13:20 UTC.</b> Figures here are 46 s old. Trying again.
      </Notice>
    </Panel>
    <Panel title="Loading" id="s6" sub="where an answer takes longer than 300 ms">
      <Skeleton />
    </Panel>
    <Panel title="Log not allowed" id="s7">
      <Log
        log={{
          shown: false,
          path: '/home/x/run.log',
          why: '/home/x/run.log lies outside the log folders of this host; add its folder to serve.log_roots',
        }}
        live={false}
        level=""
        find=""
      />
    </Panel>
    <Panel title="No right to act" id="s8">
      <Notice kind="n">
        Read only. <a href="/login">Sign in</a>, or use the command.
      </Notice>
    </Panel>
  </div>
)

/** `/_parts`: every state and component, with made-up figures. Linked from nowhere; tests photograph it. */
export const partsPage = (): View => ({
  key: '',
  title: 'Parts',
  say: 'Components that every page is made of, and how a page looks without data, without its database, and behind. The figures are made up.',
  blocks: [
    { id: 'b-parts', body: <Parts /> },
    { id: 'b-states', body: <WithoutData /> },
  ],
  live: false,
})
