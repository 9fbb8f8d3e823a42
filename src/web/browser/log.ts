import { every, one, onRedraw } from './dom.ts'

interface LogPiece {
  readonly lines: readonly string[]
  readonly again: boolean
  readonly place: { readonly file: string; readonly at: number }
}

const MOST = 1000
const levelOf = (line: string): string =>
  /\b(ERROR|CRITICAL|FATAL)\b/.test(line) ? 'ERROR' : /\bWARN(ING)?\b/.test(line) ? 'WARN' : 'INFO'

/** Filters and follows the log of an execution, also one that appears later. Lines are only ever put in as text. */
export const logView = (): void => {
  const seen = new WeakSet<HTMLElement>()
  const attach = (): void => {
    const log = one('#log')
    if (!log || seen.has(log)) return
    seen.add(log)
    followLog(log)
  }
  attach()
  onRedraw(attach)
}

const followLog = (log: HTMLElement): void => {
  const follow = one('#follow')
  const search = one<HTMLInputElement>('#logq')
  let level = 'all'
  const isFollowing = (): boolean => follow?.getAttribute('aria-pressed') === 'true'
  const setFollow = (on: boolean): void => follow?.setAttribute('aria-pressed', String(on))
  const filter = (): void => {
    const wanted = (search?.value ?? '').toLowerCase()
    for (const line of every('.ln', log)) {
      const own = line.dataset['level'] ?? 'INFO'
      const passes = level === 'all' || own === 'ERROR' || (level === 'WARN' && own === 'WARN')
      line.hidden = !passes || (wanted !== '' && !line.textContent.toLowerCase().includes(wanted))
    }
  }
  log.scrollTop = log.scrollHeight
  follow?.addEventListener('click', () => {
    setFollow(!isFollowing())
    if (isFollowing()) log.scrollTop = log.scrollHeight
  })
  log.addEventListener('scroll', () => setFollow(log.scrollHeight - log.scrollTop - log.clientHeight < 8))
  search?.addEventListener('input', filter)
  for (const button of every('[data-level-filter]'))
    button.addEventListener('click', () => {
      level = button.dataset['levelFilter'] ?? 'all'
      for (const other of every('[data-level-filter]'))
        other.setAttribute('aria-pressed', String(other === button))
      filter()
    })
  document.addEventListener('log-lines', (event) => {
    const { lines, again, place } = (event as CustomEvent<LogPiece>).detail
    const stay = isFollowing()
    log.dataset['place'] = `${place.file}.${place.at}`
    // A line that had no end yet comes again as a whole.
    if (again) log.replaceChildren()
    else one('[data-open]', log)?.remove()
    for (const text of lines) {
      const line = document.createElement('div')
      line.className = `ln l-${levelOf(text)}`
      line.dataset['level'] = levelOf(text)
      line.textContent = text
      log.append(line)
    }
    while (log.children.length > MOST) log.firstElementChild?.remove()
    filter()
    if (stay) log.scrollTop = log.scrollHeight
  })
}
