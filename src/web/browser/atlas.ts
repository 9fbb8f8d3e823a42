import { now } from './clock.ts'
import { every, figure, isTyping, one, onRedraw } from './dom.ts'
import { loadMap, type MapData, type Zoom } from './map-data.ts'
import { keysWork } from './preferences.ts'
import { RunMap } from './run-map.ts'

/** A wider range of numbers is not drawn: it would take more memory than a page should. */
const WIDEST = 20_000_000
/** How long the map's data is believed while the page changes, in milliseconds. */
const BELIEVED = 5000

/** The run map: arrows move, Enter opens or zooms, + and - zoom, n and b go to the next failed run. */
export const atlas = async (): Promise<void> => {
  const canvas = one<HTMLCanvasElement>('#atlas')
  if (!canvas) return
  const address = canvas.dataset['src'] ?? ''
  const instead = (text: string): void => {
    canvas.dataset['drawn'] = ''
    const cell = one('#celltext')
    if (cell) cell.textContent = `${text} The tables below hold the same.`
  }
  let data: MapData
  try {
    data = await loadMap(address)
  } catch {
    instead('The map could not be loaded; it comes with the next look at this page.')
    return
  }
  if (data.last === 0) return
  if (isTooWide(data)) {
    instead(`Numbers ${figure(data.first)} to ${figure(data.last)} are too wide a range for a map.`)
    return
  }
  canvas.dataset['drawn'] = ''
  const map = new RunMap(canvas, data)
  pressing(map)
  pointing(map, canvas)
  typing(map, canvas)
  brushing(map)
  keepingUp(map, address)
  await document.fonts.ready
  map.zoomTo(map.zoom)
  new ResizeObserver(() => map.draw()).observe(canvas.parentElement ?? canvas)
}

const isTooWide = ({ first, last }: MapData): boolean => last - first > WIDEST

/** A cell of a hundred runs is looked into; that of a run opens its page. */
const enter = (map: RunMap, canvas: HTMLCanvasElement): void => {
  if (map.zoom === 'all') map.zoomTo('10000')
  else location.href = `${canvas.dataset['path'] ?? '/runs'}/${map.current}`
}

const pressing = (map: RunMap): void => {
  for (const button of every('[data-zoom]'))
    button.addEventListener('click', () => map.zoomTo(button.dataset['zoom'] as Zoom))
  one('#prev')?.addEventListener('click', () => map.show(map.current - map.step))
  one('#next')?.addEventListener('click', () => map.show(map.current + map.step))
  for (const button of every('[data-state]'))
    button.addEventListener('click', () => map.toggle(Number(button.dataset['state'])))
}

const pointing = (map: RunMap, canvas: HTMLCanvasElement): void => {
  canvas.addEventListener('pointermove', (event) => {
    const run = map.at(event)
    if (run !== undefined) map.pass(run)
  })
  canvas.addEventListener('click', (event) => {
    const run = map.at(event)
    if (run === undefined) return
    map.pass(run)
    enter(map, canvas)
  })
}

const typing = (map: RunMap, canvas: HTMLCanvasElement): void => {
  canvas.addEventListener('keydown', (event) => {
    const { cell, row } = map.sizes
    const moves: Readonly<Record<string, number>> = {
      ArrowRight: cell,
      ArrowLeft: -cell,
      ArrowDown: row,
      ArrowUp: -row,
      PageDown: map.step,
      PageUp: -map.step,
    }
    const move = moves[event.key]
    if (move !== undefined) {
      event.preventDefault()
      map.show(map.current + move)
    } else if (event.key === 'Enter') enter(map, canvas)
    else if (event.key === '+') map.zoomTo(map.zoom === 'all' ? '10000' : '1000')
    else if (event.key === '-') map.zoomTo(map.zoom === '1000' ? '10000' : 'all')
    else if (event.key === 'Home') map.show(map.data.first)
    else if (event.key === 'End') map.show(map.data.last)
  })
  document.addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return
    if (isTyping(event.target) || !keysWork() || one('dialog[open]')) return
    if (event.key === 'n') map.nextFailed(1)
    if (event.key === 'b') map.nextFailed(-1)
  })
}

/** The band of the whole range, where the reader drags to a part of it. */
const brushing = (map: RunMap): void => {
  const go = (event: PointerEvent): void => {
    const box = one<SVGElement>('#band')?.getBoundingClientRect()
    const part = box ? Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) : 0
    const { first, last } = map.data
    if (map.zoom === 'all') map.zoomTo('10000')
    map.show(Math.round(first + part * (last - first)))
  }
  let dragging = false
  document.addEventListener('pointerdown', (event) => {
    if (!(event.target instanceof Element) || !event.target.closest('.bw.pick')) return
    dragging = true
    go(event)
  })
  document.addEventListener('pointermove', (event) => {
    if (dragging) go(event)
  })
  document.addEventListener('pointerup', () => (dragging = false))
}

/** Where the page's parts changed, the map may have changed, too. */
const keepingUp = (map: RunMap, address: string): void => {
  let loadedAt = 0
  onRedraw(() => {
    map.draw()
    if (now() - loadedAt < BELIEVED) return
    loadedAt = now()
    loadMap(address)
      .then((fresh) => {
        if (!isTooWide(fresh)) map.take(fresh)
      })
      // The page is being left, or the server is away: the map that is shown stays.
      .catch(() => undefined)
  })
}
