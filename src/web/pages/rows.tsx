import { Cmd, Empty, Exports, Panel, Tile } from '../components/parts.tsx'
import { RowsCharts } from '../components/rows-charts.tsx'
import { Conflicts, Files, perMinute, Processes } from '../components/rows-tables.tsx'
import type { RowsFacts, RowsProcess } from '../models/rows.ts'
import { count, plural, span } from '../text.ts'
import type { Ask, View } from '../view.ts'

const nothing = (say: string, what: string, command: string | undefined, live: boolean): View => ({
  key: 'rows',
  title: 'Rows',
  say,
  blocks: [
    {
      id: 'b-none',
      body: (
        <Panel id="none">
          <Empty what={what} sub="docs/ROWS.md has the least configuration that works.">
            {command !== undefined && <Cmd c={command} />}
          </Empty>
        </Panel>
      ),
    },
  ],
  live,
})

/** `/rows`: how far, why slow? As the log tables of rows say, by their server's clock. */
export const rowsPage = async ({ sources, now }: Ask): Promise<View> => {
  const config = sources.runs?.config ?? 'config.yaml'
  if (!sources.rows) return nothing('No table is configured.', 'rows.source is not set.', undefined, false)
  const facts = await sources.rows()
  const [newest] = facts?.processes ?? []
  if (!facts || !newest)
    return nothing(
      'No row was moved yet.',
      'The log tables have no run.',
      `run-archiver rows run --config ${config}`,
      true,
    )
  return {
    key: 'rows',
    title: 'Rows',
    say: sentence(newest, facts),
    blocks: [
      { id: 'b-tiles', body: <Tiles newest={newest} facts={facts} /> },
      { id: 'b-charts', body: <RowsCharts facts={facts} /> },
      {
        id: 'b-processes',
        body: (
          <Panel
            title="Processes"
            id="proc"
            sub="newest first"
            aside={<Exports api="/api/v1/rows/processes" />}
          >
            <Processes processes={facts.processes} facts={facts} now={now} />
          </Panel>
        ),
      },
      {
        id: 'b-files',
        body: (
          <Panel
            title={`Files of ${newest.table} #${newest.id}${newest.source === undefined ? '' : `, ${newest.source}`}`}
            id="files"
            sub="one mark is a batch; tall marks had rows that were archived already, or differ"
            aside={<Exports api="/api/v1/rows/files" />}
          >
            <Files files={facts.files} />
          </Panel>
        ),
      },
      {
        id: 'b-conflicts',
        body: (
          <Panel
            title="Conflicts"
            id="con"
            sub="same key, other content: the row stays where it is, the other copy is kept"
            aside={<Exports api="/api/v1/rows/conflicts" />}
          >
            <Conflicts facts={facts} config={config} />
          </Panel>
        ),
      },
    ],
    live: true,
  }
}

const sentence = (newest: RowsProcess, { openConflicts }: RowsFacts) => {
  const { table, source, standing, filesDone, files, heldBack, records, error } = newest
  const at = `file ${count(Math.min(files, filesDone + 1))} of ${count(files)}`
  return (
    <>
      <b>{table}</b>
      {source !== undefined && ` of ${source}`}{' '}
      {standing === 'throttled' ? (
        <>
          is at {at} and <b>is held back</b>: {heldBack}. Nothing is lost; it goes on by itself.
        </>
      ) : standing === 'running' ? (
        <>is at {at}.</>
      ) : standing === 'ok' ? (
        <>
          is moved: {plural(records, 'id')} of {plural(files, 'file')}.
        </>
      ) : standing === 'partial' ? (
        <>
          was worked through: {plural(records, 'id')} of {plural(files, 'file')}, and{' '}
          <b>not all could be moved</b>
          {error !== undefined && `: ${error}`}.
        </>
      ) : (
        <>
          <b>did not end well</b> after {count(filesDone)} of {plural(files, 'file')}
          {error !== undefined && `: ${error}`}.
        </>
      )}
      {openConflicts > 0 && (
        <>
          {' '}
          <b>{plural(openConflicts, 'conflict is', 'conflicts are')} open.</b>
        </>
      )}
    </>
  )
}

const Tiles = ({ newest, facts }: { newest: RowsProcess; facts: RowsFacts }) => {
  const { openConflicts, now, maxLag } = facts
  const rate = perMinute(newest, now)
  const lasted = ((newest.endedAt ?? now) - newest.startedAt) / 1000
  return (
    <dl class="tiles">
      <Tile
        k="Ids done"
        v={count(newest.records)}
        sub={`${count(newest.filesDone)} of ${plural(newest.files, 'file')}`}
      />
      <Tile
        k="Rate"
        v={rate === 0 ? '–' : count(rate)}
        s={newest.standing === 'throttled' ? 'throttled' : undefined}
        sub="ids a minute, pauses left out"
      />
      <Tile
        k="Replica lag"
        v={
          newest.lag < 0 ? (
            '–'
          ) : (
            <>
              {count(newest.lag)}
              <small> s</small>
            </>
          )
        }
        s={maxLag !== undefined && newest.lag > maxLag ? 'late' : undefined}
        sub={
          maxLag === undefined
            ? newest.lag < 0
              ? 'not measured; no limit'
              : 'at its last batch; no limit'
            : `at its last batch; pauses above ${maxLag} s`
        }
      />
      <Tile
        k="Conflicts"
        v={count(openConflicts)}
        s={openConflicts > 0 ? 'failed' : undefined}
        sub="open; same key, other content"
        href="#con"
      />
      <Tile k="Held back" v={span(newest.throttledMs / 1000)} sub={`of ${span(lasted)}`} />
    </dl>
  )
}
