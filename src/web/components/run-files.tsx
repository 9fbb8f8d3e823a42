import type { RunsSnapshot } from '../model.ts'
import type { RunCopies, RunCopy } from '../models/copies.ts'
import { MAP_STATES, stateOf } from '../runs/run-map.ts'
import { count, plural, rangeText, size } from '../text.ts'
import { Name, Panel } from './parts.tsx'
import { STANDINGS } from './runs.tsx'

const filesOf = (copy: RunCopy) => (copy.is === 'present' ? copy.files : [])

/** The files of a run in its record and in artdaqDB. */
export const Files = ({ copies }: { copies: RunCopies }) => {
  const record = filesOf(copies.record)
  const archived = new Map(filesOf(copies.artdaq).map((file) => [file.name, file]))
  const names = [...new Set([...record.map(({ name }) => name), ...archived.keys()])]
  if (names.length === 0) return null
  return (
    <Panel title="Files" id="files" sub={`${plural(names.length, 'file')}; digests are SHA-256`}>
      <div class="scroll">
        <table class="tb">
          <thead>
            <tr>
              <th>File</th>
              <th class="r">Record</th>
              <th class="r">artdaqDB</th>
              <th class="opt">Digest</th>
            </tr>
          </thead>
          <tbody>
            {names.slice(0, 60).map((name) => {
              const here = record.find((file) => file.name === name)
              const there = archived.get(name)
              const differs = here && there && here.size !== there.size
              return (
                <tr class={differs ? 'hot' : undefined}>
                  <th scope="row">
                    <code>
                      <Name of={name} />
                    </code>
                  </th>
                  <td class="r num nw">{here ? size(here.size) : '–'}</td>
                  <td class="r num nw">{there ? size(there.size) : '–'}</td>
                  <td class="opt nw">
                    <code>{there?.digest?.slice(0, 8) ?? ''}</code>
                  </td>
                </tr>
              )
            })}
            {names.length > 60 && (
              <tr>
                <td colspan={4} class="sub">
                  and {count(names.length - 60)} more
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

/** The hundred that a run belongs to. */
export const Neighbours = ({ run, snapshot }: { run: number; snapshot: RunsSnapshot }) => {
  const from = Math.floor(run / 100) * 100
  return (
    <Panel title="Neighbours" id="nb" sub={`${rangeText(from, from + 99)}; every cell is a link`}>
      <div class="hundred" role="group" aria-label={`Runs ${count(from)} to ${count(from + 99)}`}>
        {Array.from({ length: 100 }, (_, i) => from + i).map((other) => {
          if (other === 0) return <span class="h-none" aria-hidden="true"></span>
          const state = stateOf(snapshot.map, other)
          return (
            <a
              href={`/runs/${other}`}
              class={`h-${STANDINGS[state] ?? 'none'}${other === run ? ' me' : ''}`}
              aria-current={other === run ? 'true' : undefined}
              title={`${count(other)}: ${MAP_STATES[state]}`}
            >
              <span class="vh">
                {other} {MAP_STATES[state]}
              </span>
            </a>
          )
        })}
      </div>
    </Panel>
  )
}
