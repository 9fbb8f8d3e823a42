import type { ActionLine } from '../models/actions.ts'
import { Empty, Time } from './parts.tsx'

/** What persons did on the page, each with its command and the address that asked. */
export const Actions = ({ actions, now }: { actions: readonly ActionLine[]; now: number }) =>
  actions.length === 0 ? (
    <Empty what="Nobody has acted here yet." />
  ) : (
    <div class="scroll">
      <table class="tb">
        <thead>
          <tr>
            <th>When</th>
            <th>What</th>
            <th class="opt">Command</th>
            <th>From</th>
          </tr>
        </thead>
        <tbody>
          {actions.map(({ at, action, command, from }) => (
            <tr>
              <td class="num nw">
                <Time at={at} now={now} />
              </td>
              <th scope="row">{action}</th>
              <td class="opt clip" title={command}>
                <code>{command}</code>
              </td>
              <td class="num">{from}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
