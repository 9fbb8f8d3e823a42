import { figure } from './dom.ts'
import type { MapData } from './map-data.ts'

/** What the states are called, by their numbers in the map's data. */
export const WORDS = ['never taken', 'archived', 'imported only', 'failed', 'pending', 'not ready']
const GLYPHS = ['none', 'ok', 'half', 'failed', 'pending', 'notready']
/** From the one that needs somebody most. */
const WORST_FIRST = [3, 4, 5, 2, 1, 0]
const IN_A_LIST = [1, 2, 3, 4, 5, 0]

/** The sign of the worst state of a cell. `counts`: how many runs it has of each state. */
export const signOf = (counts: readonly number[]): string =>
  GLYPHS[WORST_FIRST.find((state) => counts[state]) ?? 0] ?? 'none'

/** A cell of one run, in words: its state, and where and why it failed. */
export const runText = (data: MapData, run: number, state: number): string => {
  const [, stage = '', code = ''] = data.failed.find(([one]) => one === run) ?? []
  const where = stage === '' ? '' : ` at ${stage}${code === '' ? '' : `, ${code}`}`
  return `Run ${figure(run)}: ${WORDS[state] ?? ''}${where}`
}

/** A cell of a hundred runs, in words. */
export const hundredText = (start: number, counts: readonly number[]): string => {
  const states = IN_A_LIST.filter((state) => counts[state])
  const parts = states.map((state) => `${figure(counts[state] ?? 0)} ${WORDS[state] ?? ''}`)
  return `Runs ${figure(start)} to ${figure(start + 99)}: ${parts.join(', ')}`
}

/** How a map of this many columns is read; undefined: the whole range. */
export const scaleText = (columns: number | undefined): string => {
  if (columns === undefined) return 'one cell is a hundred runs, a row ten thousand; a cell shows its worst'
  return `one cell is one run; a row is ${columns === 100 ? 'a hundred' : columns === 50 ? 'fifty' : 'twenty'}`
}
