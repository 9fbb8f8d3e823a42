import type { Child } from 'hono/jsx'
import type { Standing } from '../model.ts'
import { isoTime, momentText } from '../text.ts'
import { Glyph, Icon } from './glyph.tsx'

/** A moment in UTC; the script writes it again in local time where the reader wants that. */
export const Time = ({ at, now, long }: { at: number; now: number; long?: boolean }) => (
  <time datetime={isoTime(at)} data-form={long ? 'long' : 'short'}>
    {long ? isoTime(at).slice(0, 19).replace('T', ' ') : momentText(at, now)}
  </time>
)

/** Letters that fit a phone's column: longer names may be broken, behind a sign and not in the middle of a word. */
const FITS = 20

/** A name, such as a task's, with places where its line may end; `fits`: letters of a name that is left whole. */
export const Name = ({ of, fits = FITS }: { of: string; fits?: number }) =>
  of.length <= fits ? (
    <>{of}</>
  ) : (
    <>{of.split(/(?<=[_.:/-])/).flatMap((part, at) => (at === 0 ? [part] : [<wbr />, part]))}</>
  )

interface PanelProps {
  readonly id: string
  readonly title?: Child
  readonly sub?: Child
  readonly aside?: Child
  readonly cls?: string
  readonly children?: Child
}

export const Panel = ({ id, title, sub, aside, cls = '', children }: PanelProps) => (
  <section class={`panel ${cls}`.trim()} id={id} aria-labelledby={title ? `${id}-h` : undefined}>
    {title && (
      <header>
        <div>
          <h2 id={`${id}-h`}>{title}</h2>
          {sub && <p class="sub">{sub}</p>}
        </div>
        {aside && <div class="aside">{aside}</div>}
      </header>
    )}
    {children}
  </section>
)

interface TileProps {
  readonly k: string
  readonly v: Child
  readonly sub?: Child
  readonly s?: Standing | undefined
  readonly spark?: Child
  readonly href?: string
}

export const Tile = ({ k, v, sub, s, spark, href }: TileProps) => (
  <div class="tile">
    <dt>
      {s && <Glyph s={s} />}
      {href ? <a href={href}>{k}</a> : k}
    </dt>
    <dd class="v num">{v}</dd>
    {sub && <dd class="s">{sub}</dd>}
    {spark && <dd class="sp">{spark}</dd>}
  </div>
)

/** A command to copy. */
export const Cmd = ({ c }: { c: string }) => (
  <span class="cmd">
    <code tabindex={0}>{c}</code>
    <button type="button" class="copy" data-copy={c} aria-label={`Copy: ${c}`}>
      <Icon name="i-copy" />
    </button>
  </span>
)

/** Links of which one is the current choice. */
export const Choice = ({
  label,
  items,
  current,
}: {
  label: string
  items: readonly (readonly [word: string, href: string])[]
  current: string
}) => (
  <nav class="seg" aria-label={label}>
    {items.map(([word, href]) => (
      <a href={href} aria-current={word === current ? 'true' : undefined}>
        {word}
      </a>
    ))}
  </nav>
)

export const Select = ({
  label,
  name,
  options,
  current,
}: {
  label: string
  name: string
  options: readonly (readonly [value: string, word: string])[]
  current: string
}) => (
  <label class="fld">
    <span>{label}</span>
    <select name={name}>
      {options.map(([value, word]) => (
        <option value={value} selected={value === current}>
          {word}
        </option>
      ))}
    </select>
  </label>
)

/** Where the same figures can be had as CSV and JSON. */
export const Exports = ({ api }: { api: string }) => {
  const csv = `${api}${api.includes('?') ? '&' : '?'}format=csv`
  return (
    <p class="exports">
      <a href={csv}>CSV</a> <a href={api}>JSON</a>{' '}
      {/* A colon may stand in a query as it is: times can be read so. */}
      <code>GET {api.replaceAll('%3A', ':')}</code>
    </p>
  )
}

export const Empty = ({
  what,
  sub,
  children,
}: {
  what: Child
  sub?: Child | undefined
  children?: Child
}) => (
  <div class="empty">
    <svg viewBox="0 0 120 40" aria-hidden="true">
      <path d="M4 8h8v8H4zM16 8h8v8h-8zM28 8h8v8h-8zM40 8h8v8h-8zM52 8h8v8h-8zM4 20h8v8H4zM16 20h8v8h-8z" />
    </svg>
    <p>
      <b>{what}</b>
    </p>
    {sub && <p class="sub">{sub}</p>}
    {children}
  </div>
)

/** A place whose figures are on their way. It is seen from 300 ms on: what comes sooner does not flicker. */
export const Skeleton = () => (
  <div class="skel" aria-busy="true" role="img" aria-label="Loading">
    <i />
    <i />
    <i />
  </div>
)

/** w: something to know; e: something failed; n: something is kept back. */
export const Notice = ({ kind, children }: { kind: 'w' | 'e' | 'n'; children: Child }) => (
  <div class={`notice ${kind}`} role={kind === 'e' ? 'alert' : undefined}>
    {kind === 'n' ? <Icon name="i-lock" /> : <Glyph s={kind === 'w' ? 'late' : 'failed'} />}
    <div>{children}</div>
  </div>
)
