import { now } from './clock.ts'
import { Idiomorph } from 'idiomorph/dist/idiomorph.esm.js'
import { base, every, one, redraw, say } from './dom.ts'

interface Patch {
  readonly id: string
  readonly html: string
}

const PAUSES = [1000, 2000, 4000, 8000, 15_000, 30_000]
const HIDDEN_FOR = 60_000
/** Milliseconds after which a stream that was opened has a place: a server that has none says so at once. */
const ADMITTED = 1000

/** Parts that the reader works in: they are left as they are. */
const isBusy = (element: Element): boolean =>
  element instanceof HTMLElement &&
  (element.contains(document.activeElement) || element.matches(':hover')) &&
  element.matches('form.filters')

/** Whether a reader typed or chose something that is not sent yet. */
const isEdited = (element: Element): boolean =>
  element instanceof HTMLSelectElement
    ? element.selectedIndex !== firstOf(element)
    : (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) &&
      element.value !== element.defaultValue

/** The option that a select shows at first. */
const firstOf = ({ options }: HTMLSelectElement): number =>
  Math.max(
    0,
    [...options].findIndex(({ defaultSelected }) => defaultSelected),
  )

const apply = ({ id, html }: Patch): void => {
  const old = document.getElementById(id)
  if (!old) return
  const before = standings()
  Idiomorph.morph(old, html, {
    morphStyle: 'outerHTML',
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (from: Node, to: Node) => {
        if (!(from instanceof Element) || !(to instanceof Element)) return true
        // The map, drawn charts and the log belong to their scripts.
        if (from.matches('canvas, .celltext, #range, #map-sub, #brush, .log')) return false
        if (from.matches('[data-zoom], [data-state]')) {
          to.setAttribute('aria-pressed', from.getAttribute('aria-pressed') ?? 'false')
          return true
        }
        if (from.matches('.chart') && from.getAttribute('data-spec') === to.getAttribute('data-spec'))
          return false
        // What a reader typed, chose or ticked is not sent by anybody.
        if (isEdited(from)) return false
        if (from instanceof HTMLInputElement && to instanceof HTMLInputElement && from.type === 'checkbox')
          to.checked = from.checked
        if (from instanceof HTMLDetailsElement && from.open) to.setAttribute('open', '')
        return !isBusy(from)
      },
      beforeAttributeUpdated: (name: string, node: Node) =>
        !(name === 'open' && node instanceof HTMLDetailsElement),
    },
  })
  const after = standings()
  if (before !== after && after !== '') say(after)
}

/** Makes an empty block for each part that has come, in its place, and drops those that are gone. */
const arrange = (ids: readonly string[]): void => {
  for (const block of every('main > .block')) if (!ids.includes(block.id)) block.remove()
  let after: Element | null = one('#connection')
  for (const id of ids) {
    let block = document.getElementById(id)
    if (!block) {
      block = document.createElement('div')
      block.id = id
      block.className = 'block'
      after?.after(block)
    }
    after = block
  }
}

/** What a reader of the screen hears: the first sentence, not each percentage. */
const standings = (): string => one('.lead .say .chip')?.textContent ?? ''

/** Keeps the page as the ledger is: one stream a tab, paused and caught up as the reader wishes. */
export const live = (): void => {
  const button = one('#live')
  if (!button || !('EventSource' in window)) return
  const waiting = new Map<string, Patch>()
  let parts: readonly string[] | undefined
  let stream: EventSource | undefined
  let tries = 0
  let brokenAt: number | undefined
  let isFull = false
  let admission: ReturnType<typeof setTimeout> | undefined
  let paused = false
  let follows = false
  let retry: ReturnType<typeof setTimeout> | undefined
  const word = one('.w', button)
  const show = (): void => {
    button.setAttribute('aria-pressed', String(!paused))
    if (word)
      word.textContent = paused
        ? waiting.size > 0
          ? `Paused, ${waiting.size} new`
          : 'Paused'
        : brokenAt
          ? 'Not live'
          : 'Live'
    button.classList.toggle('broken', brokenAt !== undefined)
  }
  const lines: unknown[] = []
  const flush = (): void => {
    const patches = [...waiting.values()]
    waiting.clear()
    if (parts) arrange(parts)
    parts = undefined
    for (const patch of patches) apply(patch)
    if (patches.length > 0) redraw()
    // A log that was not there when the page was opened is followed from now on.
    if (stream && !follows && one('#log')) open()
    for (const detail of lines.splice(0)) document.dispatchEvent(new CustomEvent('log-lines', { detail }))
  }
  const leave = (): void => {
    clearTimeout(retry)
    clearTimeout(admission)
    stream?.close()
    stream = undefined
  }
  const broken = (): void => {
    leave()
    brokenAt ??= now()
    notice()
    show()
    retry = setTimeout(open, PAUSES[Math.min(tries++, PAUSES.length - 1)])
  }
  const notice = (): void => {
    const place = one('#connection')
    if (!place) return
    place.hidden = brokenAt === undefined
    place.className = 'notice w'
    const why = isFull ? 'The server has as many readers as it takes,' : 'Not live'
    place.textContent =
      brokenAt === undefined
        ? ''
        : `${why} since ${new Date(brokenAt).toISOString().slice(11, 19)} UTC. Figures here are ${Math.round((now() - brokenAt) / 1000)} s old. Trying again.`
  }
  /** A stream that is open may still be one that says that there is no place: only after that is the page live again. */
  const admitted = (): void => {
    clearTimeout(admission)
    if (tries === 0 && brokenAt === undefined) return
    tries = 0
    brokenAt = undefined
    notice()
    show()
  }
  setInterval(() => brokenAt !== undefined && notice(), 1000)
  /** Opens the one stream of this tab, whatever asked for it: a reader who comes back, the next try, a log to follow. */
  const open = (): void => {
    leave()
    const page = document.body.dataset['path'] ?? '/'
    const place = one('#log')?.dataset['place'] ?? ''
    follows = place !== ''
    stream = new EventSource(
      `${base()}/events?page=${encodeURIComponent(page)}&log=${encodeURIComponent(place)}`,
    )
    stream.addEventListener('open', () => (admission = setTimeout(admitted, ADMITTED)))
    stream.addEventListener('parts', (event: MessageEvent<string>) => {
      admitted()
      parts = (JSON.parse(event.data) as { readonly ids: readonly string[] }).ids
      if (!paused) queueMicrotask(flush)
    })
    stream.addEventListener('patch', (event: MessageEvent<string>) => {
      const patch = JSON.parse(event.data) as Patch
      waiting.set(patch.id, patch)
      if (paused) show()
      else queueMicrotask(flush)
    })
    stream.addEventListener('log', (event: MessageEvent<string>) => {
      lines.push(JSON.parse(event.data) as unknown)
      if (!paused) queueMicrotask(flush)
    })
    stream.addEventListener('full', () => {
      isFull = true
      broken()
    })
    stream.addEventListener('error', () => {
      isFull = false
      broken()
    })
  }
  button.addEventListener('click', () => {
    paused = !paused
    if (!paused) flush()
    show()
    say(paused ? 'Live updates are paused' : 'Live updates go on')
  })
  let hiding: ReturnType<typeof setTimeout> | undefined
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding)
    if (document.hidden) hiding = setTimeout(leave, HIDDEN_FOR)
    else if (!stream) open()
  })
  addEventListener('pagehide', () => stream?.close())
  open()
  for (const element of every('.js-only')) element.hidden = false
}
