import { countsOf, drawMap, gridOf, statesOf, type Look } from './atlas-draw.ts'
import { hundredText, runText, scaleText, signOf, WORDS } from './atlas-words.ts'
import { every, figure, one, say } from './dom.ts'
import type { MapData, Zoom } from './map-data.ts'

const ZOOMS: readonly string[] = ['all', '10000', '1000'] satisfies Zoom[]

/** The run map that is shown: its data, what of it is looked at, and the words around it. The address holds where the reader is. */
export class RunMap {
  readonly #canvas: HTMLCanvasElement
  readonly #look: Look
  #data: MapData
  #states: Uint8Array

  constructor(canvas: HTMLCanvasElement, data: MapData) {
    this.#canvas = canvas
    this.#data = data
    this.#states = statesOf(data)
    this.#look = lookOf(new URLSearchParams(location.search), data)
  }

  get data(): MapData {
    return this.#data
  }

  get zoom(): Zoom {
    return this.#look.zoom
  }

  /** The run of the chosen cell. */
  get current(): number {
    return this.#look.current
  }

  /** How many runs the next part of the range is away. */
  get step(): number {
    return this.#look.zoom === 'all' ? 10_000 : Number(this.#look.zoom)
  }

  /** How many runs one cell holds, and one row of cells. */
  get sizes(): { readonly cell: number; readonly row: number } {
    const { columns, per } = gridOf(this.#canvas, this.#data, this.#look)
    return { cell: per, row: columns * per }
  }

  /** Other data: where the reader is stays. */
  take(data: MapData): void {
    this.#data = data
    this.#states = statesOf(data)
    this.draw()
    this.#describe()
  }

  /** Chooses a run, or the nearest there is, and shows its part of the range. */
  show(run: number): void {
    const look = this.#look
    look.current = Math.max(this.#data.first, Math.min(this.#data.last, run))
    if (look.zoom !== 'all') look.base = Math.floor(look.current / Number(look.zoom)) * Number(look.zoom)
    this.draw()
    this.#describe()
    const address = new URL(location.href)
    address.searchParams.set('from', String(look.current))
    address.searchParams.set('zoom', look.zoom)
    history.replaceState(null, '', address)
  }

  /** Chooses a run of the part that is shown, as a pointer passes over it. */
  pass(run: number): void {
    if (run === this.#look.current) return
    this.#look.current = run
    this.draw()
    this.#describe()
  }

  zoomTo(zoom: Zoom): void {
    this.#look.zoom = zoom
    for (const button of every('[data-zoom]'))
      button.setAttribute('aria-pressed', String(button.dataset['zoom'] === zoom))
    this.show(this.#look.current)
  }

  /** Shows one state alone, or all again. */
  toggle(state: number): void {
    const look = this.#look
    look.only = look.only === state ? -1 : state
    for (const other of every('[data-state]'))
      other.setAttribute('aria-pressed', String(Number(other.dataset['state']) === look.only))
    this.draw()
    say(look.only < 0 ? 'All states' : `Only ${WORDS[look.only] ?? ''}`)
  }

  /** Goes to the next failed run, or the one before; from the last to the first. */
  nextFailed(direction: 1 | -1): void {
    const runs = this.#data.failed.map(([run]) => run).sort((a, b) => a - b)
    const { current } = this.#look
    const next =
      direction > 0
        ? (runs.find((run) => run > current) ?? runs[0])
        : (runs.findLast((run) => run < current) ?? runs.at(-1))
    if (next === undefined) say('No run failed')
    else this.show(next)
  }

  /** The run under a pointer, the first one of a cell; undefined beside the cells. */
  at(event: MouseEvent): number | undefined {
    const grid = gridOf(this.#canvas, this.#data, this.#look)
    const box = this.#canvas.getBoundingClientRect()
    const x = event.clientX - box.left
    const y = event.clientY - box.top
    let column = grid.columns - 1
    while (column > 0 && grid.x(column) > x) column--
    let row = grid.rows - 1
    while (row > 0 && grid.y(row) > y) row--
    const run = grid.start + (row * grid.columns + column) * grid.per
    return x < grid.label || run > this.#data.last ? undefined : Math.max(run, this.#data.first)
  }

  /** Draws the cells, and says above them which part of the range they are. */
  draw(): void {
    const [data, look] = [this.#data, this.#look]
    drawMap(this.#canvas, data, this.#states, look)
    const isAll = look.zoom === 'all'
    const from = isAll ? data.first : Math.max(data.first, look.base)
    const to = isAll ? data.last : Math.min(data.last, look.base + Number(look.zoom) - 1)
    const { columns } = gridOf(this.#canvas, data, look)
    write('#range', `${figure(from)} – ${figure(to)}`)
    write('#map-sub', scaleText(isAll ? undefined : columns))
    const brush = one('#brush')
    if (!brush) return
    brush.hidden = isAll
    const width = data.last - data.first + 1
    brush.style.left = `${((from - data.first) / width) * 100}%`
    brush.style.width = `${(Math.max(1, to - from + 1) / width) * 100}%`
  }

  #describe(): void {
    const place = one('#celltext')
    if (!place) return
    const { current } = this.#look
    const { cell } = this.sizes
    const start = cell === 1 ? current : Math.floor(current / 100) * 100
    const counts = countsOf(this.#data, this.#states, start, cell)
    const text =
      cell === 1
        ? runText(this.#data, current, this.#states[current - this.#data.first] ?? 0)
        : hundredText(start, counts)
    place.replaceChildren(sign(signOf(counts)), ` ${text} `)
    if (cell !== 1) return
    const link = document.createElement('a')
    link.href = `${this.#canvas.dataset['path'] ?? '/runs'}/${current}`
    link.textContent = 'its story'
    place.append(link)
  }
}

/** What the address asks for. */
const lookOf = (query: URLSearchParams, data: MapData): Look => {
  const zoom = query.get('zoom') ?? ''
  const from = Number(query.get('from') ?? NaN)
  return {
    zoom: (ZOOMS.includes(zoom) ? zoom : '10000') as Zoom,
    base: 0,
    current: Number.isFinite(from) ? from : data.last,
    only: query.has('state') ? WORDS.indexOf(query.get('state') ?? '') : -1,
  }
}

const write = (place: string, text: string): void => {
  const element = one(place)
  if (element) element.textContent = text
}

const sign = (name: string): SVGElement => {
  // The sprite's namespace, so that no address stands in the script either.
  const space = one('svg')?.namespaceURI ?? ''
  const svg = document.createElementNS(space, 'svg') as SVGElement
  svg.setAttribute('class', `g g-${name}`)
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(space, 'use')
  use.setAttribute('href', `#g-${name}`)
  svg.append(use)
  return svg
}
