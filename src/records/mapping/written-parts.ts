import type { Each, Requirement } from './model.ts'

/** What becomes a map of the YAML. */
export type Written = Readonly<Record<string, unknown>>

/** `people`, `people/address`, or a path; a relative one begins with a point, since a list may have its name. */
export const writtenEach = (each: Each): string => {
  if (each.type === 'list') return [each.list, ...each.below].join('/')
  return each.path.absolute || each.path.up > 0 ? each.path.text : `./${each.path.text}`
}

export const writtenRequirements = (requirements: readonly Requirement[]): Written =>
  Object.fromEntries(
    requirements.map(({ path, values }) => [path.text, values === 'present' ? values : [...values]]),
  )
