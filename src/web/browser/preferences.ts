import { now } from './clock.ts'
import { base, every, isTyping, one, onRedraw, redraw, say, store, stored } from './dom.ts'

const THEMES = ['auto', 'light', 'dark']

const showTheme = (theme: string): void => {
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  const button = one('#theme')
  if (!button) return
  button.textContent = `${theme.charAt(0).toUpperCase()}${theme.slice(1)}`
  button.setAttribute('aria-label', `${button.textContent}, colour theme`)
}

const two = (value: number): string => String(value).padStart(2, '0')
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Writes each moment in the zone that the reader chose. */
const showTimes = (): void => {
  const isLocal = stored('zone') === 'local'
  const button = one('#tz')
  if (button) button.textContent = isLocal ? 'Local' : 'UTC'
  const shift = (date: Date): Date =>
    isLocal ? new Date(date.getTime() - date.getTimezoneOffset() * 60_000) : date
  const today = shift(new Date(now())).toISOString().slice(0, 10)
  for (const element of every<HTMLTimeElement>('time[datetime][data-form]')) {
    const date = shift(new Date(element.dateTime))
    const iso = date.toISOString()
    const clock = iso.slice(11, 16)
    const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}`
    const year = iso.slice(0, 4) === today.slice(0, 4) ? '' : ` ${iso.slice(0, 4)}`
    const short = iso.slice(0, 10) === today ? clock : `${day}${year} ${clock}`
    const text = element.dataset['form'] === 'long' ? iso.slice(0, 19).replace('T', ' ') : short
    if (element.textContent !== text) element.textContent = text
    element.title = `${two(new Date(element.dateTime).getUTCHours())}:${two(new Date(element.dateTime).getUTCMinutes())} UTC`
  }
}

const GO: Readonly<Record<string, string>> = {
  o: '/',
  r: '/runs',
  h: '/history',
  p: '/performance',
  f: '/failures',
  d: '/graph',
  w: '/rows',
  c: '/records',
  i: '/instances',
  a: '/alerts',
}

const dialog = (id: string): HTMLDialogElement | null => one<HTMLDialogElement>(`dialog#${CSS.escape(id)}`)

/** Whether single keys do anything: for all readers of the site, and on this device. */
export const keysWork = (): boolean => document.body.dataset['keys'] === 'on' && stored('keys') !== 'off'

/** Theme, time zone, keys, dialogs and copying. */
export const preferences = (): void => {
  showTheme(stored('theme') ?? 'auto')
  showTimes()
  onRedraw(showTimes)
  one('#theme')?.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(stored('theme') ?? 'auto') + 1) % 3] ?? 'auto'
    store('theme', next)
    showTheme(next)
    redraw()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  one('#tz')?.addEventListener('click', () => {
    store('zone', stored('zone') === 'local' ? 'utc' : 'local')
    showTimes()
    say(`Times in ${stored('zone') === 'local' ? 'local time' : 'UTC'}`)
  })
  const single = one<HTMLInputElement>('#single-keys')
  if (single) {
    single.checked = keysWork()
    single.addEventListener('change', () => store('keys', single.checked ? 'on' : 'off'))
  }
  document.addEventListener('click', (event) => {
    if (!(event.target instanceof Element)) return
    const opener = event.target.closest<HTMLElement>('[data-dialog]')
    if (opener) dialog(opener.dataset['dialog'] ?? '')?.showModal()
    if (event.target.closest('#keys')) dialog('help')?.showModal()
    const copy = event.target.closest<HTMLElement>('[data-copy]')
    if (copy) void copyText(copy)
  })
  // Long ago: a key in the first second of a page is no second one.
  let wentAt = -Infinity
  document.addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || one('dialog[open]'))
      return
    if (!keysWork()) return
    const goal = GO[event.key]
    if (event.timeStamp - wentAt < 900 && goal !== undefined) {
      location.href = base() + goal
      return
    }
    if (event.key === 'g') wentAt = event.timeStamp
    else if (event.key === '/') {
      event.preventDefault()
      one('#q')?.focus()
    } else if (event.key === '?') dialog('help')?.showModal()
    else if (event.key === 't') one('#theme')?.click()
    else if (event.key === 'z') one('#tz')?.click()
    else if (event.key === 'p') one('#live')?.click()
  })
}

const copyText = async (button: HTMLElement): Promise<void> => {
  try {
    await navigator.clipboard.writeText(button.dataset['copy'] ?? '')
    button.classList.add('done')
    say('Copied')
    setTimeout(() => button.classList.remove('done'), 1200)
  } catch {
    say('The browser does not let this page copy')
  }
}
