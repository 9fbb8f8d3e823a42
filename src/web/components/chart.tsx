export interface ChartLine {
  readonly k: string
  /** 1 first colour, 2 second (dashed), 3 third (dotted). */
  readonly c: 1 | 2 | 3
  readonly unit: string
  readonly fill?: boolean
  readonly points?: boolean
  readonly d: readonly (number | null)[]
}

export interface ChartSpec {
  /** Seconds since 1970. */
  readonly t: readonly number[]
  readonly s: readonly ChartLine[]
  readonly sync?: string
  readonly y0?: number
  readonly hline?: number
  readonly band?: readonly [readonly (number | null)[], readonly (number | null)[]]
  readonly shade?: readonly (readonly [number, number])[]
  /** Indexes of figures that are out of the usual. */
  readonly odd?: readonly number[]
}

/** Figures over time, drawn by the script; the caption says the same in words. One moment alone has no axis: it is written out. */
export const Chart = ({
  id,
  spec,
  say,
  height = 190,
  legend,
}: {
  id: string
  spec: ChartSpec
  say: string
  height?: number
  legend?: readonly (readonly [cls: string, word: string])[]
}) => (
  <figure class="fig">
    {spec.t.length > 1 && (
      <div
        class="chart"
        id={id}
        data-height={height}
        data-spec={JSON.stringify(spec)}
        role="img"
        aria-label={say}
      ></div>
    )}
    {spec.t.length > 1 && legend && (
      <div class="lg">
        {legend.map(([cls, word]) => (
          <span>
            <i class={`k ${cls}`} />
            {word}
          </span>
        ))}
      </div>
    )}
    <figcaption>{say}</figcaption>
  </figure>
)
