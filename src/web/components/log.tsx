import type { LogTail } from '../log-file.ts'
import { size } from '../text.ts'
import { Notice } from './parts.tsx'

const levelOf = (line: string): 'ERROR' | 'WARN' | 'INFO' =>
  /\b(?:ERROR|CRITICAL|FATAL)\b/.test(line) ? 'ERROR' : /\bWARN(?:ING)?\b/.test(line) ? 'WARN' : 'INFO'

const FILTERS = [
  ['all', 'All'],
  ['WARN', 'Warnings'],
  ['ERROR', 'Errors'],
] as const

/** The end of a log, or why it is not shown. `level` and `find` are the filters of a reader without a script. */
export const Log = ({
  log,
  id,
  live,
  level,
  find,
}: {
  log: LogTail
  id?: number
  live: boolean
  level: string
  find: string
}) => {
  if (!log.shown)
    return (
      <Notice kind="n">
        <b>The log is not shown:</b> {log.why}.
      </Notice>
    )
  const lines = log.lines.filter((line) => {
    const own = levelOf(line)
    const passes = level === 'ERROR' ? own === 'ERROR' : level !== 'WARN' || own !== 'INFO'
    return passes && (find === '' || line.toLowerCase().includes(find.toLowerCase()))
  })
  return (
    <>
      <div class="logbar">
        <label class="fld inl js-only">
          <span class="vh">Find in log</span>
          <input placeholder="Find in log" id="logq" />
        </label>
        <div class="seg js-only" role="group" aria-label="Level">
          {FILTERS.map(([value, word]) => (
            <button type="button" aria-pressed={value === 'all' ? 'true' : 'false'} data-level-filter={value}>
              {word}
            </button>
          ))}
        </div>
        {live && (
          <button type="button" class="btn sm js-only" id="follow" aria-pressed="true">
            Follow
          </button>
        )}
        <span class="sub">
          {log.whole ? 'the whole file' : `the last ${log.lines.length} lines`}, {size(log.size)}
          {!log.whole && id !== undefined && (
            <>
              {' '}
              · <a href={`/api/v1/executions/${id}/log.txt`}>whole file</a>
            </>
          )}
        </span>
      </div>
      <div
        class="log"
        id="log"
        role="log"
        aria-label="Log"
        tabindex={0}
        data-place={`${log.place.file}.${log.place.at}`}
      >
        {lines.map((line, i) => (
          <div
            class={`ln l-${levelOf(line)}`}
            data-level={levelOf(line)}
            data-open={log.isOpen && i === lines.length - 1 && line === log.lines.at(-1) ? '' : undefined}
          >
            {line}
          </div>
        ))}
        {lines.length === 0 && <div class="ln l-INFO">No line matches.</div>}
      </div>
    </>
  )
}
