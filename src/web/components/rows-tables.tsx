import type { RowsConflict, RowsFacts, RowsFile, RowsProcess } from '../models/rows.ts'
import { count, plural, size } from '../text.ts'
import { Bar } from './bars.tsx'
import { Batches } from './batches.tsx'
import { Chip } from './glyph.tsx'
import { Cmd, Empty, Name, Time } from './parts.tsx'

/** Ids a minute of a process, without the time that it was held back. */
export const perMinute = ({ records, startedAt, endedAt, throttledMs }: RowsProcess, now: number): number => {
  const ms = (endedAt ?? now) - startedAt - throttledMs
  return ms < 1000 ? 0 : (records / ms) * 60_000
}

const KINDS: Readonly<Partial<Record<string, string>>> = {
  ok: 'done',
  throttled: 'wait',
  partial: 'wait',
  running: '',
}

export const Processes = ({
  processes,
  facts,
  now,
}: {
  processes: readonly RowsProcess[]
  facts: RowsFacts
  now: number
}) => (
  <table class="tb procs">
    <thead>
      <tr>
        <th>Table</th>
        <th>State</th>
        <th class="r opt">PID</th>
        <th class="w">Files</th>
        <th class="opt">At</th>
        <th class="r opt">Ids</th>
        <th class="r opt">A minute</th>
        <th class="opt">Started</th>
      </tr>
    </thead>
    <tbody>
      {processes.map((one) => {
        const { table, source, status, standing, pid, files, filesDone, currentFile, currentBatch } = one
        const rate = perMinute(one, facts.now)
        return (
          <tr>
            <th scope="row">
              <Name of={table} />
              <Source of={source} />
            </th>
            <td>
              <Chip s={standing} title={status} />
            </td>
            <td class="r num opt">{pid ?? '–'}</td>
            <td class="w">
              <span class="bv">
                <Bar
                  value={files === 0 ? undefined : (filesDone / files) * 100}
                  label={`${filesDone} of ${files} files`}
                  kind={KINDS[standing] ?? 'stop'}
                />
                <span class="num sub">
                  {count(filesDone)} / {count(files)}
                </span>
              </span>
            </td>
            <td class="opt sub clip" title={one.error}>
              {standing === 'ok'
                ? '–'
                : currentFile === undefined
                  ? (one.error ?? '–')
                  : `${currentFile}${currentBatch === undefined ? '' : `, batch ${currentBatch}`}`}
            </td>
            <td class="r num opt">{count(one.records)}</td>
            <td class="r num opt">{rate === 0 ? '–' : count(rate)}</td>
            <td class="num opt nw">
              <Time at={one.startedAt} now={now} />
            </td>
          </tr>
        )
      })}
    </tbody>
  </table>
)

/** Where a table is, where several sources share the log tables. */
const Source = ({ of }: { of: string | undefined }) => of !== undefined && <div class="sub">{of}</div>

export const Files = ({ files }: { files: readonly RowsFile[] }) =>
  files.length === 0 ? (
    <Empty what="It has not opened a file yet." />
  ) : (
    <table class="tb">
      <thead>
        <tr>
          <th>File</th>
          <th>State</th>
          <th class="ww opt">Batches</th>
          <th class="r">Done</th>
          <th class="r opt">Ids</th>
          <th class="r opt">Size</th>
          <th class="opt">Note</th>
        </tr>
      </thead>
      <tbody>
        {files.map((file) => (
          <tr class={file.standing === 'running' ? 'hot2' : undefined}>
            <th scope="row">
              <code>
                <Name of={file.name} fits={14} />
              </code>
            </th>
            <td>
              {file.standing === 'ok' && file.duplicates.length > 0 ? (
                <Chip s="partial" word="With duplicates" title={file.status} />
              ) : (
                <Chip s={file.standing} title={file.status} />
              )}
            </td>
            <td class="ww opt">
              <Batches file={file} />
            </td>
            <td class="r num nw">
              {count(file.batchesDone)} / {count(file.batches)}
            </td>
            <td class="r num opt">{count(file.records)}</td>
            <td class="r num opt nw">{size(file.bytes)}</td>
            <td class="opt sub">
              {file.error ?? (file.conflicts > 0 ? `${plural(file.conflicts, 'conflict')} kept apart` : '')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )

export const Conflicts = ({
  facts: { conflicts, openConflicts, conflictsOfOthers },
  config,
}: {
  facts: RowsFacts
  config: string
}) =>
  conflicts.length === 0 ? (
    <Empty what="No conflict is open." />
  ) : (
    <>
      <div class="scroll">
        <table class="tb">
          <thead>
            <tr>
              <th class="opt">Table</th>
              <th class="r">Key</th>
              <th>Differs in</th>
              <th>Live</th>
              <th>Archive</th>
              <th class="opt">File, batch</th>
            </tr>
          </thead>
          <tbody>
            {conflicts.map((conflict) => (
              <Conflict conflict={conflict} />
            ))}
          </tbody>
        </table>
      </div>
      {openConflicts > conflicts.length && (
        <p class="sub">The newest {count(conflicts.length)} are listed.</p>
      )}
      {openConflicts > conflictsOfOthers && (
        <>
          <p class="sub">Compare, then decide which one is kept:</p>
          <Cmd c={`run-archiver rows conflicts --config ${config} --keep archive`} />
        </>
      )}
      {conflictsOfOthers > 0 && (
        <p class="sub">
          {plural(conflictsOfOthers, 'conflict is', 'conflicts are')} of other sources: the configuration of
          each settles its own.
        </p>
      )}
    </>
  )

const Conflict = ({ conflict: { table, source, key, differs, file, batch } }: { conflict: RowsConflict }) => (
  <tr>
    <th scope="row" class="opt">
      {table}
      <Source of={source} />
    </th>
    <td class="r num">{key}</td>
    <td>
      {differs.map(({ column }) => (
        <div>
          <code>{column}</code>
        </div>
      ))}
    </td>
    <td class="num">
      {differs.map(({ live }) => (
        <div>{live}</div>
      ))}
    </td>
    <td class="num">
      {differs.map(({ archive }) => (
        <div>{archive}</div>
      ))}
    </td>
    <td class="opt num sub">
      {file}, {batch}
    </td>
  </tr>
)
