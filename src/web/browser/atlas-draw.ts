import { colour, figure } from './dom.ts'
import type { MapData, Zoom } from './map-data.ts'

/** What is drawn: which part of the range, which cell is chosen, which state alone is shown. */
export interface Look {
  zoom: Zoom
  base: number
  current: number
  only: number
}

export interface Grid {
  readonly columns: number
  /** Runs in a cell. */
  readonly per: number
  readonly start: number
  readonly rows: number
  readonly label: number
  readonly width: number
  readonly height: number
  x(column: number): number
  y(row: number): number
}

/** States by run, one byte each. */
export const statesOf = (data: MapData): Uint8Array => {
  const states = new Uint8Array(Math.max(0, data.last - data.first + 1))
  let at = 0
  for (let i = 0; i < data.rle.length; i += 2) {
    const length = data.rle[i + 1] ?? 0
    states.fill(data.rle[i] ?? 0, at, at + length)
    at += length
  }
  return states
}

/** Decimal, so that a place has a meaning: a row is a hundred runs, or ten thousand where a cell is a hundred. */
export const gridOf = (canvas: HTMLCanvasElement, data: MapData, look: Look): Grid => {
  const wide = canvas.clientWidth
  const narrow = wide < 560
  const columns = look.zoom === 'all' ? 100 : look.zoom === '1000' ? (narrow ? 20 : 50) : narrow ? 50 : 100
  const per = look.zoom === 'all' ? 100 : 1
  // Whole blocks of ten rows before the first run hold nothing, and are left out.
  const blockOf = columns * 10
  const start =
    look.zoom === 'all'
      ? Math.floor(data.first / 10_000) * 10_000
      : look.zoom === '10000'
        ? Math.max(look.base, Math.floor(data.first / blockOf) * blockOf)
        : look.base
  const span = look.zoom === 'all' ? data.last + 1 - start : look.base + Number(look.zoom) - start
  const rows = Math.max(
    1,
    Math.min(Math.ceil(span / per / columns), Math.ceil((data.last + 1 - start) / per / columns)),
  )
  const block = Math.round(columns / 10)
  const gap = look.zoom === 'all' ? 0 : columns === 100 ? 3 : 2
  const label = Math.max(narrow ? 52 : 62, figure(data.last).length * 7.4)
  const width = (wide - label - gap * 9) / columns
  const height =
    look.zoom === 'all'
      ? Math.max(6, Math.min(24, 900 / rows))
      : look.zoom === '1000'
        ? Math.min(width, 26)
        : Math.min(width, 9.5)
  return {
    columns,
    per,
    start,
    rows,
    label,
    width,
    height,
    x: (column) => label + column * width + Math.floor(column / block) * gap,
    y: (row) => 14 + row * height + (look.zoom === '10000' ? Math.floor(row / 10) * 3 : 0),
  }
}

/** How many runs of each state a cell holds. */
export const countsOf = (data: MapData, states: Uint8Array, from: number, per: number): number[] => {
  const counts = [0, 0, 0, 0, 0, 0]
  for (let run = Math.max(from, data.first); run < from + per && run <= data.last; run++) {
    const state = states[run - data.first] ?? 0
    counts[state] = (counts[state] ?? 0) + 1
  }
  return counts
}

const diamond = (pen: CanvasRenderingContext2D, x: number, y: number, q: number): void => {
  pen.beginPath()
  pen.moveTo(x, y - q)
  pen.lineTo(x + q, y)
  pen.lineTo(x, y + q)
  pen.lineTo(x - q, y)
  pen.fill()
}
const corner = (pen: CanvasRenderingContext2D, x: number, y: number, w: number, h: number): void => {
  pen.beginPath()
  pen.moveTo(x, y)
  pen.lineTo(x + w, y + h)
  pen.lineTo(x, y + h)
  pen.fill()
}

/** One run's cell: each state by a shape. */
const drawRun = (
  pen: CanvasRenderingContext2D,
  state: number,
  x: number,
  y: number,
  w: number,
  h: number,
): void => {
  if (state === 1) {
    pen.fillStyle = paint('--held')
    pen.fillRect(x, y, w, h)
  } else if (state === 0) {
    pen.fillStyle = paint('--line-2')
    const dot = Math.max(1, Math.min(2.2, h / 4))
    pen.fillRect(x + w / 2 - dot / 2, y + h / 2 - dot / 2, dot, dot)
  } else if (state === 2) {
    pen.strokeStyle = pen.fillStyle = paint('--half')
    pen.lineWidth = 1
    pen.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1)
    corner(pen, x, y, w, h)
  } else if (state === 3) {
    pen.fillStyle = paint('--bad')
    diamond(pen, x + w / 2, y + h / 2, Math.max(3.6, Math.min(w, h) / 2 + 0.9))
  } else {
    pen.strokeStyle = pen.fillStyle = paint('--idle')
    pen.lineWidth = 1.3
    pen.strokeRect(x + 0.7, y + 0.7, w - 1.4, h - 1.4)
    if (state === 5) pen.fillRect(x + w / 2 - 1.2, y + h / 2 - 1.2, 2.4, 2.4)
  }
}

/** A cell of a hundred: how full it is, and its worst by shape. */
const drawHundred = (
  pen: CanvasRenderingContext2D,
  counts: readonly number[],
  x: number,
  y: number,
  w: number,
  h: number,
): void => {
  const total = counts.reduce((sum, value) => sum + value, 0)
  const full = total === 0 ? 0 : h * (1 - (counts[0] ?? 0) / total)
  pen.fillStyle = paint('--none')
  pen.fillRect(x, y, w, h)
  pen.fillStyle = paint('--held')
  pen.fillRect(x, y + h - full, w, full)
  if (counts[2]) {
    pen.fillStyle = paint('--half')
    corner(pen, x, y, w, h)
  }
  if ((counts[4] ?? 0) + (counts[5] ?? 0) > 0) {
    pen.strokeStyle = paint('--idle')
    pen.lineWidth = 1.5
    pen.strokeRect(x + 0.8, y + 0.8, w - 1.6, h - 1.6)
  }
  if (counts[3]) {
    pen.fillStyle = paint('--bad')
    diamond(pen, x + w / 2, y + h / 2, Math.min(w, h) * (0.34 + Math.min(0.16, counts[3] / 40)))
  }
}

let palette = new Map<string, string>()
const paint = (name: string): string => {
  const known = palette.get(name) ?? colour(name)
  palette.set(name, known)
  return known
}

/** Draws the map. */
export const drawMap = (canvas: HTMLCanvasElement, data: MapData, states: Uint8Array, look: Look): void => {
  palette = new Map()
  const grid = gridOf(canvas, data, look)
  const { columns, per, start, rows, width, height } = grid
  const ratio = devicePixelRatio || 1
  const tall = grid.y(rows) + 4
  canvas.width = canvas.clientWidth * ratio
  canvas.style.height = `${tall}px`
  canvas.height = tall * ratio
  const pen = canvas.getContext('2d')
  if (!pen) return
  pen.scale(ratio, ratio)
  const gap = width > 5 ? (width > 12 ? 2 : 1.2) : 0.6
  pen.font = '11.5px AHN'
  pen.textBaseline = 'middle'
  pen.fillStyle = paint('--ink-2')
  pen.textAlign = 'right'
  const every = height < 11 ? 10 : 1
  for (let row = 0; row < rows; row += every)
    pen.fillText(figure(start + row * columns * per), grid.label - 8, grid.y(row) + height / 2)
  pen.textAlign = 'left'
  for (let column = 0; column < columns; column += columns / 10)
    if (width * (columns / 10) > 34 || column % (columns / 5) === 0)
      pen.fillText(`+${figure(column * per)}`, grid.x(column), 6)
  for (let cell = 0; cell < rows * columns; cell++) {
    const from = start + cell * per
    if (from > data.last) break
    if (from + per <= data.first) continue
    const counts = countsOf(data, states, from, per)
    pen.globalAlpha = look.only >= 0 && !counts[look.only] ? 0.16 : 1
    const x = grid.x(cell % columns)
    const y = grid.y(Math.floor(cell / columns))
    const h = height - (height > 12 ? 2 : 1.2)
    if (per === 1) drawRun(pen, states[from - data.first] ?? 0, x, y, width - gap, h)
    else drawHundred(pen, counts, x, y, width - gap, h)
  }
  pen.globalAlpha = 1
  drawMarks(pen, data, look, grid, gap)
}

/** The edges under which all is contiguous (solid), was attempted (dashed), and the chosen cell. */
const drawMarks = (
  pen: CanvasRenderingContext2D,
  data: MapData,
  look: Look,
  grid: Grid,
  gap: number,
): void => {
  const { columns, per, start, rows, width, height } = grid
  const place = (run: number): readonly [number, number] | undefined => {
    const cell = Math.floor((run - start) / per)
    if (cell < 0 || cell >= rows * columns) return undefined
    return [grid.x(cell % columns), grid.y(Math.floor(cell / columns))]
  }
  pen.strokeStyle = paint('--ink')
  pen.lineWidth = 2
  for (const marks of [data.marks.import, data.marks.migrate])
    for (const [run, dash] of marks
      ? ([
          [marks.contiguous, []],
          [marks.attempted, [3, 2]],
        ] as const)
      : []) {
      const at = place(run)
      if (!at) continue
      pen.setLineDash([...dash])
      pen.beginPath()
      pen.moveTo(at[0] + width - gap / 2, at[1] - 2)
      pen.lineTo(at[0] + width - gap / 2, at[1] + height)
      pen.stroke()
    }
  pen.setLineDash([])
  const here = place(look.current)
  if (here) pen.strokeRect(here[0] - 2, here[1] - 2, width - gap + 4, height + 2)
}
