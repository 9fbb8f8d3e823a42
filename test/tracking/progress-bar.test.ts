import { describe, expect, it } from 'vitest'
import { barText, progressBar } from '../../src/tracking/progress-bar.ts'
import { passEvents, series } from './events.ts'

/** What is to be seen on a terminal of so many columns after these bytes: it wraps, goes back to the first column, and clears to the end. */
const screenOf = (bytes: string, columns: number): string[] => {
  const lines: string[][] = [[]]
  let [row, column] = [0, 0]
  const next = (): void => {
    row++
    column = 0
    lines[row] ??= []
  }
  for (const part of bytes.split(/(\x1b\[K|\r|\n)/)) {
    if (part === '\r') column = 0
    else if (part === '\n') next()
    else if (part === '\x1b[K') lines[row]?.splice(column)
    else
      for (const character of part) {
        if (column === columns) next()
        const line = lines[row]
        if (line) line[column++] = character
      }
  }
  return lines.map((line) => line.join(''))
}

const pass = (columns: number, options: { readonly isStopped?: boolean } = {}) => {
  let bytes = ''
  let time = 0
  const bar = progressBar(() => time, { write: (text) => (bytes += text), columns: () => columns })
  const warning = `WARNING - a line that is longer than forty columns, and ends in the word END`
  for (const event of passEvents('migrate', series(1, 1000), { failing: [7], finish: !options.isStopped })) {
    time += 40
    bar.listener(event)
    if (event.type === 'item-failed' || (event.type === 'item-done' && event.key === '500'))
      bar.print(`${warning}\n`)
  }
  bar.close()
  bar.print('Migrate: 999 archived\n')
  return { screen: screenOf(bytes, columns), bytes, warning }
}

describe.each([40, 80, 120, 200])('a progress bar on a terminal of %d columns', (columns) => {
  it('leaves log lines whole, and itself once below them', () => {
    const { screen, warning } = pass(columns)
    const text = screen.join('')
    expect(text.split(warning)).toHaveLength(3)
    expect(text.match(/1000\/1000 runs/g)).toHaveLength(1)
    expect(screen.at(-2)?.trim()).toBe('Migrate: 999 archived')
  })
  it('never takes more columns than there are', () => {
    const { bytes } = pass(columns)
    const bars = [...bytes.matchAll(/\x1b\[K(migrate [^\r\n]*)/g)].map(([, bar = '']) => bar)
    expect(bars.length).toBeGreaterThan(100)
    // A terminal writes ^C behind it.
    for (const bar of bars) expect(`${bar}^C`.length).toBeLessThan(columns)
  })
  it('is gone before the summary of a pass that was stopped', () => {
    const { screen } = pass(columns, { isStopped: true })
    expect(screen.join('')).not.toContain('/1000')
  })
})

describe('the text of a bar', () => {
  const facts = { stage: 'import', total: 200, done: 50, failed: 2, seconds: 10 }
  it('has runs, rate, time left and failures where there is room', () => {
    expect(barText(facts, 100)).toMatch(/^import \|█+░+\| 52\/200 runs, 5\.2 runs\/s, 28s left, 2 failed$/)
  })
  it('keeps the count and the failures where there is little', () => {
    expect(barText(facts, 39)).toBe('import |██░░░░░░| 52/200 runs, 2 failed')
    expect(barText(facts, 20)).toBe('import 52/200 runs, ')
  })
})
