import type { ComparedLine } from '../compare.ts'
import type { ExecutionDetail, Standing } from '../model.ts'
import { count, span } from '../text.ts'
import { WORDS } from './glyph.tsx'
import { Exports, Panel } from './parts.tsx'

/** From this share on a change is called out. */
const MUCH = 0.2

const shown = (value: ComparedLine['a'], { unit, what }: ComparedLine): string => {
  if (value === undefined) return '–'
  if (typeof value === 'string') return what === 'Ended' ? WORDS[value as Standing] : value
  if (unit === 'seconds') return span(value)
  return unit === 'MB' ? `${count(value)} MB` : count(value)
}

const changeText = ({ change }: ComparedLine): string => {
  if (change === undefined) return ''
  const percent = Math.round(Math.abs(change) * 100)
  return percent === 0 ? '0 %' : `${change > 0 ? '+' : '−'} ${count(percent)} %`
}

/** Two executions side by side, the later one first. */
export const Comparison = ({
  a,
  b,
  lines,
}: {
  a: ExecutionDetail
  b: ExecutionDetail
  lines: readonly ComparedLine[]
}) => (
  <Panel
    title="Compare"
    id="cmp"
    sub={a.task === b.task ? a.task : `${a.task} and ${b.task}`}
    aside={<Exports api={`/api/v1/compare?a=${a.id}&b=${b.id}`} />}
  >
    <table class="tb cmpt">
      <thead>
        <tr>
          <th>What</th>
          {[a, b].map(({ id }) => (
            <th class="r">
              <a href={`/executions/${id}`}>#{id}</a>
            </th>
          ))}
          <th class="r">Change</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr class={line.unit === 'seconds' && (line.change ?? 0) >= MUCH ? 'hot' : undefined}>
            <th scope="row">{line.what}</th>
            <td class="r num">{shown(line.a, line)}</td>
            <td class="r num">{shown(line.b, line)}</td>
            <td class="r num nw">{changeText(line)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
)
