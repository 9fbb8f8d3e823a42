import uPlot from 'uplot'
import { colour, every, faded, onRedraw, one } from './dom.ts'

interface Line {
  readonly k: string
  readonly c: number
  readonly unit: string
  readonly fill?: boolean
  readonly points?: boolean
  readonly d: readonly (number | null)[]
}

/** What a chart shows, as the server wrote it. Times in seconds. */
interface Spec {
  readonly t: readonly number[]
  readonly s: readonly Line[]
  readonly sync?: string
  readonly y0?: number
  readonly hline?: number
  readonly band?: readonly [readonly (number | null)[], readonly (number | null)[]]
  readonly shade?: readonly (readonly [number, number])[]
  readonly odd?: readonly number[]
}

const drawn = new Map<HTMLElement, { readonly plot: uPlot; readonly spec: string }>()
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const FONT = '11.5px AHN'

const isDaily = (spec: Spec): boolean => (spec.t[1] ?? 0) - (spec.t[0] ?? 0) >= 86_400

const seriesOf = (spec: Spec, colours: readonly string[]): uPlot.Series[] => [
  {},
  ...(spec.band ? [hidden(), hidden()] : []),
  ...spec.s.map((line): uPlot.Series => {
    const stroke = colours[line.c] ?? colours[0] ?? ''
    if (line.points)
      return {
        label: line.k,
        width: 0,
        paths: () => null,
        points: { show: true, size: 6.5, fill: stroke, stroke, width: 0 },
      }
    return {
      label: line.k,
      stroke,
      width: 1.6,
      ...(line.fill ? { fill: faded(stroke, 0.12) } : {}),
      ...(spec.s.length > 1 && line.c === 2
        ? { dash: [6, 4] }
        : spec.s.length > 1 && line.c === 3
          ? { dash: [2, 3] }
          : {}),
      points: { show: spec.t.length < 3 },
      spanGaps: false,
    }
  }),
]
const hidden = (): uPlot.Series => ({ stroke: 'transparent', points: { show: false } })

const axes = (ink: string, grid: string, height: number): uPlot.Axis[] => [
  {
    stroke: ink,
    font: FONT,
    grid: { show: false },
    ticks: { stroke: grid, size: 4 },
    space: 90,
    size: 26,
    gap: 2,
    values: (_plot, values, _axis, _space, step) =>
      values.map((value) => {
        const date = new Date(value * 1000)
        return step >= 86_400
          ? `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}`
          : date.toISOString().slice(11, step < 60 ? 19 : 16)
      }),
  },
  {
    stroke: ink,
    font: FONT,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    size: 48,
    gap: 4,
    space: height < 110 ? 22 : 34,
  },
]

const draw = (element: HTMLElement): void => {
  const text = element.dataset['spec'] ?? ''
  const spec = JSON.parse(text) as Spec
  const height = Number(element.dataset['height'] ?? 190)
  drawn.get(element)?.plot.destroy()
  element.replaceChildren()
  if (spec.t.length === 0) return
  const colours = ['--held-2', '--held-2', '--half', '--warn'].map(colour)
  const data = [spec.t, ...(spec.band ?? []), ...spec.s.map(({ d }) => d)] as unknown as uPlot.AlignedData
  const values = [...(spec.band ?? []), ...spec.s.map(({ d }) => d)].flat().filter((value) => value !== null)
  const most = Math.max(...values, spec.hline ?? 0, 0)
  const tip = document.createElement('div')
  tip.className = 'tip'
  tip.hidden = true
  const plot = new uPlot(
    {
      width: element.clientWidth,
      height,
      // Half of the last label stands beside the plot.
      padding: [8, isDaily(spec) ? 22 : 28, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false },
        ...(spec.sync ? { sync: { key: spec.sync } } : {}),
      },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
      scales: { y: { range: () => [spec.y0 ?? 0, most === 0 ? 1 : most * 1.08] } },
      ...(spec.band ? { bands: [{ series: [2, 1], fill: faded(colour('--held'), 0.32) }] } : {}),
      series: seriesOf(spec, colours),
      axes: axes(colour('--ink-2'), colour('--line'), height),
      hooks: {
        drawClear: [(plot) => shade(plot, spec)],
        draw: [(plot) => marks(plot, spec)],
        setCursor: [(plot) => point(plot, spec, tip, element)],
      },
    },
    data,
    element,
  )
  element.append(tip)
  drawn.set(element, { plot, spec: text })
}

const shade = (plot: uPlot, spec: Spec): void => {
  const { ctx, bbox } = plot
  for (const [from, to] of spec.shade ?? []) {
    ctx.fillStyle = faded(colour('--warn-f'), 0.18)
    const x = plot.valToPos(from, 'x', true)
    ctx.fillRect(x, bbox.top, plot.valToPos(to, 'x', true) - x, bbox.height)
  }
}

const marks = (plot: uPlot, spec: Spec): void => {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  if (spec.hline !== undefined) {
    ctx.save()
    ctx.strokeStyle = colour('--bad')
    ctx.lineWidth = 1.4 * ratio
    ctx.setLineDash([5 * ratio, 4 * ratio])
    const y = plot.valToPos(spec.hline, 'y', true)
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.restore()
  }
  for (const at of spec.odd ?? []) {
    const value = spec.s.at(-1)?.d[at]
    const time = spec.t[at]
    if (value === null || value === undefined || time === undefined) continue
    const x = plot.valToPos(time, 'x', true)
    const y = plot.valToPos(value, 'y', true)
    const q = 7 * ratio
    ctx.fillStyle = colour('--bad')
    ctx.beginPath()
    ctx.moveTo(x, y - q)
    ctx.lineTo(x + q, y)
    ctx.lineTo(x, y + q)
    ctx.lineTo(x - q, y)
    ctx.fill()
  }
}

const point = (plot: uPlot, spec: Spec, tip: HTMLElement, element: HTMLElement): void => {
  const at = plot.cursor.idx
  const left = plot.cursor.left ?? -1
  const time = at === null || at === undefined ? undefined : spec.t[at]
  tip.hidden = time === undefined || left < 0
  if (time === undefined || at === null || at === undefined) return
  const iso = new Date(time * 1000).toISOString()
  const lines = spec.s.map(({ k, d, unit }) => `  ${k} ${d[at] ?? '–'} ${unit}`).join('')
  tip.textContent = (isDaily(spec) ? iso.slice(0, 10) : iso.slice(11, 19)) + lines
  tip.style.transform = `translate(${Math.min(left + 46, element.clientWidth - tip.offsetWidth)}px,-6px)`
}

/** Draws every chart of the page, again when its figures, the theme or the width change. */
export const charts = (): void => {
  const all = (force: boolean): void => {
    for (const [element, { plot }] of drawn)
      if (!element.isConnected) {
        plot.destroy()
        drawn.delete(element)
      }
    for (const element of every('.chart'))
      if (force || drawn.get(element)?.spec !== element.dataset['spec']) draw(element)
  }
  let theme = ''
  onRedraw(() => {
    const now = colour('--bg')
    all(now !== theme)
    theme = now
  })
  void document.fonts.ready.then(() => all(true))
  const main = one('main')
  if (!main) return
  new ResizeObserver(() => {
    for (const [element, { plot }] of drawn)
      if (Math.abs(plot.width - element.clientWidth) > 1)
        plot.setSize({ width: element.clientWidth, height: Number(element.dataset['height'] ?? 190) })
  }).observe(main)
}
