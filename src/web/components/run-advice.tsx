import type { RunAttempt, RunsSnapshot } from '../model.ts'
import type { MapState } from '../runs/run-map.ts'
import { Cmd, Panel } from './parts.tsx'

interface Advised {
  readonly run: number
  readonly state: MapState
  readonly config: string
  readonly snapshot: Pick<RunsSnapshot, 'import' | 'migrate'>
  readonly story: readonly RunAttempt[]
}

type Step = readonly [text: string, command: string]

/** The stage whose failure log has the run; where none can be read, that of its newest failed attempt. */
export const failedStage = ({
  run,
  snapshot,
  story,
}: Pick<Advised, 'run' | 'snapshot' | 'story'>): 'import' | 'migrate' => {
  for (const stage of ['import', 'migrate'] as const) {
    const marks = snapshot[stage]
    if (marks.known && marks.value.failed.has(run)) return stage
  }
  return story.find(({ standing }) => standing === 'failed')?.stage === 'migrate' ? 'migrate' : 'import'
}

/** The newest failed attempt of that stage; undefined where the ledger has none. */
export const failedAttempt = (of: Pick<Advised, 'run' | 'snapshot' | 'story'>): RunAttempt | undefined => {
  const stage = failedStage(of)
  return of.story.find((attempt) => attempt.standing === 'failed' && attempt.stage === stage)
}

const failedSteps = (of: Advised): readonly Step[] => {
  const { run, config } = of
  const code = failedAttempt(of)?.code
  const stage = failedStage(of)
  if (code !== 'CONFLICT')
    return [
      [
        `Cure what the message names${code ? ` (${code} in docs/ERRORS.md)` : ''}, then try again.`,
        `run-archiver ${config} --retry-failed-${stage} --runs ${run}`,
      ],
    ]
  const compare: Step = ['Look at what differs.', `run-archiver diff ${run} --config ${config}`]
  if (stage === 'import')
    return [
      compare,
      [
        'If artdaqDB is right, leave it: the run stays reported as failed. Once what differs is mended, try again (CONFLICT in docs/ERRORS.md).',
        `run-archiver ${config} --retry-failed-import --runs ${run}`,
      ],
    ]
  return [
    compare,
    [
      'If the record is right, store it beside the old blob. The old one stays. If the archive is right, leave it: the run stays reported as failed.',
      `run-archiver ${config} --migrate-only --override-conflict ${run}`,
    ],
  ]
}

/** What a person may do about a run, each with its command. */
export const stepsFor = (of: Advised): readonly Step[] => {
  const { run, state, config } = of
  switch (state) {
    case 0:
      return []
    case 1:
      return [
        [
          'Read all three places again and compare them.',
          `run-archiver verify --runs ${run} --config ${config}`,
        ],
      ]
    case 3:
      return failedSteps(of)
    default:
      return [['Take it now instead of with the next pass.', `run-archiver ${config} --runs ${run}`]]
  }
}

export const Advice = (of: Advised) => {
  const steps = stepsFor(of)
  return (
    <Panel title="What to do" id="do">
      {steps.length === 0 ? (
        <p class="sub">Nothing: there is no such run.</p>
      ) : (
        <ol class="steps">
          {steps.map(([text, command]) => (
            <li>
              {text}
              <Cmd c={command} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}
