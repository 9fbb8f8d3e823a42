import type { Standing } from '../model.ts'

/** Each standing's word on the page. The words of `process_logs` stand in CSV, JSON and tooltips. */
export const WORDS: Readonly<Record<Standing, string>> = {
  ok: 'Finished',
  running: 'Running',
  partial: 'Partial',
  failed: 'Failed',
  killed: 'Killed',
  terminated: 'Died unseen',
  reboot: 'Reboot',
  pending: 'Pending',
  late: 'Late',
  hung: 'Hung',
  throttled: 'Throttled',
  none: 'Not started',
  half: 'Imported only',
  skipped: 'Skipped',
  silenced: 'Silenced',
  notready: 'Not ready',
}

/** Every standing has a shape of its own; colour only repeats it. */
export const Glyph = ({ s, label }: { s: Standing; label?: string | undefined }) => (
  <svg
    class={`g g-${s}`}
    role={label ? 'img' : undefined}
    aria-label={label}
    aria-hidden={label ? undefined : 'true'}
  >
    <use href={`#g-${s}`} />
  </svg>
)

export const Chip = ({
  s,
  word,
  big,
  title,
}: {
  s: Standing
  word?: string | undefined
  big?: boolean
  title?: string | undefined
}) => (
  <span class={`chip c-${s}${big ? ' big' : ''}`} title={title}>
    <Glyph s={s} />
    {word ?? WORDS[s]}
  </span>
)

export const Icon = ({ name }: { name: string }) => (
  <svg class="ic" aria-hidden="true">
    <use href={`#${name}`} />
  </svg>
)

/** Outlined (o), filled (f), drawn inside a filled shape (i, if), dashed. */
const SHAPES: Readonly<Record<string, readonly (readonly [kind: string, path: string])[]>> = {
  'g-ok': [
    ['f', 'M8 1a7 7 0 100 14A7 7 0 008 1z'],
    ['i', 'M4.7 8.3l2.2 2.2 4.4-4.8'],
  ],
  'g-running': [
    ['o', 'M8 2a6 6 0 100 12A6 6 0 008 2z'],
    ['f', 'M6.3 4.9v6.2L11.4 8z'],
  ],
  'g-partial': [
    ['o', 'M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8z'],
    ['f', 'M8 1.8a6.2 6.2 0 010 12.4z'],
  ],
  'g-half': [
    ['o', 'M2 2h12v12H2z'],
    ['f', 'M2 14V2l12 12z'],
  ],
  'g-failed': [
    ['f', 'M8 .6L15.4 8 8 15.4.6 8z'],
    ['i', 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8'],
  ],
  'g-killed': [
    ['f', 'M2 2h12v12H2z'],
    ['if', 'M5 5h6v6H5z'],
  ],
  'g-terminated': [
    ['o dash', 'M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8z'],
    ['o', 'M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4'],
  ],
  'g-reboot': [['o', 'M4.4 4.3a5.6 5.6 0 107.2 0M8 1.4v6']],
  'g-pending': [['o', 'M8 2a6 6 0 100 12A6 6 0 008 2z']],
  'g-notready': [
    ['o dash', 'M8 2a6 6 0 100 12A6 6 0 008 2z'],
    ['f', 'M8 6.2a1.8 1.8 0 100 3.6 1.8 1.8 0 000-3.6z'],
  ],
  'g-late': [['o', 'M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8zM8 4.2V8l2.8 1.9']],
  'g-hung': [
    [
      'o',
      'M3.5 1.8h9M3.5 14.2h9M4.6 2c0 3.2 2.4 4 3.4 6-1 2-3.4 2.8-3.4 6M11.4 2c0 3.2-2.4 4-3.4 6 1 2 3.4 2.8 3.4 6',
    ],
  ],
  'g-throttled': [['f', 'M4.4 2.4h2.6v11.2H4.4zM9 2.4h2.6v11.2H9z']],
  'g-none': [['o', 'M3.5 8h9']],
  'g-skipped': [['o', 'M3 4l4 4-4 4M8 4l4 4-4 4']],
  'g-silenced': [['o', 'M4 11V7a4 4 0 018 0v4l1 1.5H3zM2.5 2.5l11 11']],
  'i-copy': [['o', 'M5.5 5.5h8v8h-8zM2.5 10.5v-8h8']],
  'i-lock': [['o', 'M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 015 0v2.5']],
  'n-overview': [['o', 'M2 9l6-6 6 6M4 8v6h8V8']],
  'n-runs': [['o', 'M2 3h3v3H2zM6.5 3h3v3h-3zM11 3h3v3h-3zM2 10h3v3H2zM6.5 10h3v3h-3z']],
  'n-history': [['o', 'M2 4h6M5 8h7M8 12h6']],
  'n-performance': [['o', 'M2 12l4-4 3 2 5-6']],
  'n-failures': [['o', 'M8 2l6 11H2zM8 6v3.4M8 11.4v.3']],
  'n-graph': [['o', 'M2 6h4v4H2zM10 2h4v4h-4zM10 10h4v4h-4zM6 8h2V4h2M8 8v4h2']],
  'n-rows': [['o', 'M2 3h12v10H2zM2 6.5h12M2 10h12M6 3v10']],
  'n-records': [['o', 'M4 2h6l2.5 2.5V14H4zM10 2v3h2.5M6 8h4.5M6 10.8h4.5']],
  'n-instances': [['o', 'M3 2h10v5H3zM3 9h10v5H3zM5.5 4.5h.1M5.5 11.5h.1']],
  'n-alerts': [['o', 'M4 11V7a4 4 0 018 0v4l1 1.5H3zM7 14h2']],
}

/** The shapes, once a page; `use` draws them. */
export const Sprite = () => (
  <svg width="0" height="0" class="sprite" aria-hidden="true" focusable="false">
    {Object.entries(SHAPES).map(([id, paths]) => (
      <symbol id={id} viewBox="0 0 16 16">
        {paths.map(([kind, path]) => (
          <path d={path} class={kind} />
        ))}
      </symbol>
    ))}
  </svg>
)
