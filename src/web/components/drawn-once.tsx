import type { Child } from 'hono/jsx'
import { raw } from 'hono/html'

const drawn = new WeakMap<object, ReturnType<typeof raw>>()

/**
 * What `draw` gives, drawn once for as long as `of` is kept: only for what depends on nothing else, `of` is never changed, and all that draws
 * from it draws the same. The one place of the page that puts in text as it is; it is the text that an element became, escaped already.
 */
export const DrawnOnce = ({ of, draw }: { of: object; draw: () => Child }) => {
  const kept = drawn.get(of)
  if (kept) return kept
  // An element whose parts must be waited for would not be text.
  const text = asText(<>{draw()}</>)
  if (typeof text !== 'string') throw new TypeError('what is drawn once cannot be waited for')
  const fresh = raw(text)
  drawn.set(of, fresh)
  return fresh
}

const asText = (element: { toString(): string | Promise<string> }): string | Promise<string> =>
  element.toString()
