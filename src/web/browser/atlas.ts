import { now } from './clock.ts'
import type { MapData, Zoom } from './map-data.ts'
import { countsOf, drawMap, gridOf, statesOf, type Look } from './atlas-draw.ts'
import { every, figure, isTyping, one, onRedraw, say } from './dom.ts'

const WORDS = ['never taken', 'archived', 'imported only', 'failed', 'pending', 'not ready']
const GLYPHS = ['none', 'ok', 'half', 'failed', 'pending', 'notready']
/** A wider range of numbers is not drawn: it would take more memory than a page should. */
const WIDEST = 20_000_000

/** The run map: arrows move, Enter opens or zooms, + and - zoom, n and b go to the next failed run. */
export const atlas = async (): Promise<void> => {
  const canvas = one<HTMLCanvasElement>('#atlas')
  if (!canvas) return
  const load = async (): Promise<MapData> =>
    (await (
      await fetch(canvas.dataset['src'] ?? '', { headers: { accept: 'application/json' } })
    ).json()) as MapData
  const instead = (text: string): void => {
    canvas.dataset['drawn'] = ''
    const cell = one('#celltext')
    if (cell) cell.textContent = `${text} The tables below hold the same.`
  }
  let data: MapData
  try {
    data = await load()
  } catch {
    instead('The map could not be loaded; it comes with the next look at this page.')
    return
  }
  if (data.last === 0) return
  if (data.last - data.first > WIDEST) {
    instead(`Numbers ${figure(data.first)} to ${figure(data.last)} are too wide a range for a map.`)
    return
  }
  canvas.dataset['drawn'] = ''
  let states = statesOf(data)
  const query = new URLSearchParams(location.search)
  const zooms: readonly string[] = ['all', '10000', '1000']
  const asked = query.get('zoom') ?? ''
  const from = Number(query.get('from') ?? NaN)
  const look: Look = {
    zoom: (zooms.includes(asked) ? asked : '10000') as Zoom,
    base: 0,
    current: Number.isFinite(from) ? from : data.last,
    only: query.has('state') ? WORDS.indexOf(query.get('state') ?? '') : -1,
  }
  const failed = (): number[] => data.failed.map(([run]) => run).sort((a, b) => a - b)
  const stateOf = (run: number): number => states[run - data.first] ?? 0

  const describe = (): void => {
    const cell = one('#celltext')
    if (!cell) return
    const { per } = gridOf(canvas, data, look)
    const start = per === 1 ? look.current : Math.floor(look.current / 100) * 100
    const counts = countsOf(data, states, start, per)
    const worst = [3, 4, 5, 2, 1, 0].find((state) => counts[state]) ?? 0
    const cause = data.failed.find(([run]) => run === look.current)
    const text =
      per === 1
        ? `Run ${figure(look.current)}: ${WORDS[stateOf(look.current)] ?? ''}${cause && cause[1] !== '' ? ` at ${cause[1]}${cause[2] === '' ? '' : `, ${cause[2]}`}` : ''}`
        : `Runs ${figure(start)} to ${figure(start + 99)}: ${[1, 2, 3, 4, 5, 0]
            .filter((state) => counts[state])
            .map((state) => `${figure(counts[state] ?? 0)} ${WORDS[state] ?? ''}`)
            .join(', ')}`
    cell.replaceChildren(glyph(GLYPHS[worst] ?? 'none'), ` ${text} `)
    if (per === 1) {
      const link = document.createElement('a')
      link.href = `${canvas.dataset['path'] ?? '/runs'}/${look.current}`
      link.textContent = 'its story'
      cell.append(link)
    }
  }
  const draw = (): void => {
    drawMap(canvas, data, states, look)
    const isAll = look.zoom === 'all'
    const span = isAll ? 0 : Number(look.zoom)
    const range = one('#range')
    if (range)
      range.textContent = isAll
        ? `${figure(data.first)} – ${figure(data.last)}`
        : `${figure(Math.max(data.first, look.base))} – ${figure(Math.min(data.last, look.base + span - 1))}`
    const { columns } = gridOf(canvas, data, look)
    const sub = one('#map-sub')
    if (sub)
      sub.textContent = isAll
        ? 'one cell is a hundred runs, a row ten thousand; a cell shows its worst'
        : `one cell is one run; a row is ${columns === 100 ? 'a hundred' : columns === 50 ? 'fifty' : 'twenty'}`
    const brush = one('#brush')
    if (!brush) return
    brush.hidden = isAll
    const width = data.last - data.first + 1
    const left = Math.max(0, look.base - data.first)
    brush.style.left = `${(left / width) * 100}%`
    brush.style.width = `${(Math.max(1, Math.min(look.base + span, data.last + 1) - Math.max(look.base, data.first)) / width) * 100}%`
  }
  const show = (run: number): void => {
    look.current = Math.max(data.first, Math.min(data.last, run))
    if (look.zoom !== 'all') look.base = Math.floor(look.current / Number(look.zoom)) * Number(look.zoom)
    draw()
    describe()
    const address = new URL(location.href)
    address.searchParams.set('from', String(look.current))
    address.searchParams.set('zoom', look.zoom)
    history.replaceState(null, '', address)
  }
  const zoom = (to: Zoom): void => {
    look.zoom = to
    for (const button of every('[data-zoom]'))
      button.setAttribute('aria-pressed', String(button.dataset['zoom'] === to))
    show(look.current)
  }
  const openRun = (): void => void (location.href = `${canvas.dataset['path'] ?? '/runs'}/${look.current}`)
  const step = (): number => (look.zoom === 'all' ? 10_000 : Number(look.zoom))
  const nextFailed = (direction: 1 | -1): void => {
    const runs = failed()
    const next =
      direction > 0
        ? (runs.find((run) => run > look.current) ?? runs[0])
        : (runs.findLast((run) => run < look.current) ?? runs.at(-1))
    if (next === undefined) say('No run failed')
    else show(next)
  }
  const at = (event: MouseEvent): number | undefined => {
    const grid = gridOf(canvas, data, look)
    const box = canvas.getBoundingClientRect()
    const x = event.clientX - box.left
    const y = event.clientY - box.top
    let column = grid.columns - 1
    while (column > 0 && grid.x(column) > x) column--
    let row = grid.rows - 1
    while (row > 0 && grid.y(row) > y) row--
    const run = grid.start + (row * grid.columns + column) * grid.per
    return x < grid.label || run > data.last ? undefined : Math.max(run, data.first)
  }

  for (const button of every('[data-zoom]'))
    button.addEventListener('click', () => zoom(button.dataset['zoom'] as Zoom))
  one('#prev')?.addEventListener('click', () => show(look.current - step()))
  one('#next')?.addEventListener('click', () => show(look.current + step()))
  for (const button of every('[data-state]'))
    button.addEventListener('click', () => {
      const state = Number(button.dataset['state'])
      look.only = look.only === state ? -1 : state
      for (const other of every('[data-state]'))
        other.setAttribute('aria-pressed', String(Number(other.dataset['state']) === look.only))
      draw()
      say(look.only < 0 ? 'All states' : `Only ${WORDS[look.only] ?? ''}`)
    })
  canvas.addEventListener('pointermove', (event) => {
    const run = at(event)
    if (run === undefined || run === look.current) return
    look.current = run
    draw()
    describe()
  })
  canvas.addEventListener('click', (event) => {
    const run = at(event)
    if (run === undefined) return
    look.current = run
    if (look.zoom === 'all') zoom('10000')
    else openRun()
  })
  canvas.addEventListener('keydown', (event) => {
    const { columns, per } = gridOf(canvas, data, look)
    const moves: Readonly<Record<string, number>> = {
      ArrowRight: per,
      ArrowLeft: -per,
      ArrowDown: columns * per,
      ArrowUp: -columns * per,
      PageDown: step(),
      PageUp: -step(),
    }
    const move = moves[event.key]
    if (move !== undefined) {
      event.preventDefault()
      show(look.current + move)
    } else if (event.key === 'Enter') {
      if (look.zoom === 'all') zoom('10000')
      else openRun()
    } else if (event.key === '+') zoom(look.zoom === 'all' ? '10000' : '1000')
    else if (event.key === '-') zoom(look.zoom === '1000' ? '10000' : 'all')
    else if (event.key === 'Home') show(data.first)
    else if (event.key === 'End') show(data.last)
  })
  document.addEventListener('keydown', (event) => {
    if (isTyping(event.target) || document.body.dataset['keys'] !== 'on' || one('dialog[open]')) return
    if (event.key === 'n') nextFailed(1)
    if (event.key === 'b') nextFailed(-1)
  })
  brushing((part) => {
    if (look.zoom === 'all') zoom('10000')
    show(Math.round(data.first + part * (data.last - data.first)))
  })
  let loadedAt = 0
  onRedraw(() => {
    draw()
    // The page's parts changed: so may the map, at most every five seconds.
    if (now() - loadedAt < 5000) return
    loadedAt = now()
    load()
      .then((fresh) => {
        data = fresh
        states = statesOf(fresh)
        draw()
        describe()
      })
      // The page is being left, or the server is away: the map that is shown stays.
      .catch(() => undefined)
  })
  await document.fonts.ready
  zoom(look.zoom)
  new ResizeObserver(draw).observe(canvas.parentElement ?? canvas)
}

const glyph = (name: string): SVGElement => {
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

/** Says where in the whole range the reader drags, 0 to 1. */
const brushing = (moved: (part: number) => void): void => {
  const place = (event: PointerEvent): number => {
    const box = one<SVGElement>('#band')?.getBoundingClientRect()
    return box ? Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) : 0
  }
  let dragging = false
  document.addEventListener('pointerdown', (event) => {
    if (!(event.target instanceof Element) || !event.target.closest('.bw.pick')) return
    dragging = true
    moved(place(event))
  })
  document.addEventListener('pointermove', (event) => {
    if (dragging) moved(place(event))
  })
  document.addEventListener('pointerup', () => (dragging = false))
}
