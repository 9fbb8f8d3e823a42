/** Elements by selector. */
// The caller knows which element a selector finds.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export const one = <T extends Element = HTMLElement>(query: string, root: ParentNode = document): T | null =>
  root.querySelector<T>(query)
export const every = <T extends Element = HTMLElement>(query: string, root: ParentNode = document): T[] => [
  ...root.querySelectorAll<T>(query),
]

/** Says something to readers of the screen. */
export const say = (text: string): void => {
  const status = one('#say')
  if (status) status.textContent = text
}

/** 128 412, with no-break spaces. */
export const figure = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u00a0')

/** Where addresses begin: the part before the page's own path. */
export const base = (): string => {
  const own = document.body.dataset['path'] ?? '/'
  const [path = '/'] = own.split('?')
  const at = location.pathname.lastIndexOf(path)
  return at > 0 ? location.pathname.slice(0, at) : ''
}

const probe = document.createElement('i')
probe.hidden = true
document.body.append(probe)

/** A colour of the style sheet as it is now, `light-dark()` resolved. */
export const colour = (name: string): string => {
  probe.style.color = `var(${name})`
  return getComputedStyle(probe).color
}
export const faded = (text: string, alpha: number): string =>
  text.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`)

/** Called when the theme changes or parts of the page were replaced. */
const redraws: (() => void)[] = []
export const onRedraw = (draw: () => void): void => void redraws.push(draw)
export const redraw = (): void => {
  for (const draw of redraws) draw()
}

export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)

export const stored = (key: string): string | null => {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
export const store = (key: string, value: string): void => {
  try {
    localStorage.setItem(key, value)
  } catch {
    // It is only forgotten.
  }
}
