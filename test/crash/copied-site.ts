import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { Site } from '../site.ts'
import { stepsTaken } from './harness.ts'

const PLACES = ['records', 'work', 'db', 'archive']

/** With all digits of the times: a record is known by them. */
export const copyOf = (from: string, to: string): void => {
  if (spawnSync('cp', ['-a', from, to]).status !== 0) throw new Error(`${from} was not copied`)
}

/** A site with the records, stores and state of another, as far as it has them, to be killed and thrown away. */
export const siteLike = (template: Site): Site => {
  const site = new Site()
  rmSync(site.path('records'), { recursive: true })
  for (const place of PLACES)
    if (existsSync(template.path(place))) copyOf(template.path(place), site.path(place))
  return site
}

/** Each step that an undisturbed pass over a site takes, by its name: the first and the last time. */
export const pointsOf = (template: Site, words: readonly string[]): [string, number][] => {
  const site = siteLike(template)
  const steps = stepsTaken(site, words)
  site.remove()
  return [...new Set(steps)].flatMap((name) => {
    const times = steps.filter((step) => step === name).length
    return [...new Set([1, times])].map((nth): [string, number] => [name, nth])
  })
}
