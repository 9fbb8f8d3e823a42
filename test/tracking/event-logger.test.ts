import { describe, expect, it } from 'vitest'
import type { Fields, Log } from '../../src/common/log.ts'
import { ArchiverError } from '../../src/errors.ts'
import { narrator, type NarratorOptions } from '../../src/tracking/event-logger.ts'
import { passEvents, series } from './events.ts'

describe('a run that fails', () => {
  const told = (error: Error): [message: string, fields: Fields | undefined][] => {
    const errors: [string, Fields | undefined][] = []
    const log: Log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (message, fields) => void errors.push([message, fields]),
    }
    narrator(log)({ type: 'item-failed', stage: 'import', key: '7', error, milliseconds: 1 })
    return errors
  }

  it('is named once in its line, whatever its error begins with', () => {
    const of = (message: string) => told(new ArchiverError('RECORD_INVALID', message, { run: 7 }))[0]![0]
    expect(of('run 7: /daq/7: too large')).toBe(
      '[Import] [Run 7] ✗ Run 7 failed: /daq/7: too large [RECORD_INVALID]',
    )
    expect(of('run 71: too large')).toContain('failed: run 71: too large')
  })
  it('by a bug has it in the log as one, for its stack', () => {
    const bug = new RangeError('Maximum call stack size exceeded')
    const errors = told(
      new ArchiverError('RECORD_INVALID', 'converting the record hit a bug', { cause: bug }),
    )
    expect(errors).toHaveLength(2)
    expect(errors[1]).toEqual(['[Import] [Run 7] this is a bug', { stage: 'import', run: 7, error: bug }])
  })
  it.each([
    new ArchiverError('RECORD_INVALID', 'cannot be read', { cause: Object.assign(new Error('no'), { code: 'EACCES' }) }), // prettier-ignore
    new ArchiverError('RECORD_INVALID', 'too large'),
    new ArchiverError('STORE_REFUSED', 'refused', { cause: new Error('413') }),
  ])('by itself is told once: $message', (error) => {
    expect(told(error)).toHaveLength(1)
  })
})

describe('the lines of a pass', () => {
  const linesOf = (runs: number, options: NarratorOptions = {}, note?: string): Record<string, string[]> => {
    const said: Record<string, string[]> = { debug: [], info: [], warn: [], error: [] }
    const at = (level: string) => (message: string) => void said[level]?.push(message)
    const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
    const listener = narrator(log, options)
    for (const stage of ['import', 'migrate'] as const)
      for (const event of passEvents(stage, series(1, runs)))
        if (event.type === 'item-done' && note)
          listener({ ...event, processed: { ...event.processed, notes: [`${note} ${event.key}`] } })
        else listener(event)
    return said
  }
  it('are about thirty at INFO for 1,000 runs, and the runs at DEBUG', () => {
    const { info = [], debug = [] } = linesOf(1000)
    expect(info.length).toBeLessThanOrEqual(30)
    expect(info.length).toBeGreaterThan(10)
    expect(debug.filter((line) => line.includes('successfully'))).toHaveLength(2000)
  })
  it('of a backlog that others add to say how many were done, and of how many nobody says', () => {
    const info: string[] = []
    const none = () => undefined
    const log: Log = { debug: none, info: (line) => void info.push(line), warn: none, error: none }
    const listener = narrator(log, { eachRun: false })
    for (const event of passEvents('import', series(1, 3000), { endless: true })) listener(event)
    expect(info.slice(0, 3)).toEqual([
      '[Import] Takes runs from the backlog (incremental)',
      '[Import] Progress: 10 runs processed (10 successful, 0 failed)',
      '[Import] Progress: 20 runs processed (20 successful, 0 failed)',
    ])
    expect(info.at(-2)).toBe('[Import] Progress: 3000 runs processed (3000 successful, 0 failed)')
    expect(info.at(-1)).toBe('[Import] Finished: 3000 successful, 0 failed in 0.1 s (30000.0 runs/s)')
    expect(info).toHaveLength(9 + 9 + 3 + 2)
  })
  it('name each run where it is asked for, and in a pass of fewer than 50', () => {
    const named = (runs: number, options?: NarratorOptions) =>
      linesOf(runs, options)['info']?.filter((line) => line.includes('✓')).length
    expect(named(200, { eachRun: true })).toBe(400)
    expect(named(49)).toBe(98)
    expect(named(50)).toBe(0)
    expect(named(49, { eachRun: false })).toBe(0)
  })
  it('have ten notes of one kind, and how many more there are', () => {
    const { warn = [] } = linesOf(100, {}, 'odd metadata in run')
    expect(warn).toHaveLength(22)
    expect(warn.at(-1)).toBe('[Migrate] 90 more runs have the note: odd metadata in run <n>')
  })
  it('say at DEBUG what is archived already', () => {
    const debug: string[] = []
    const none = () => undefined
    const log: Log = { debug: (line) => void debug.push(line), info: none, warn: none, error: none }
    narrator(log)({ type: 'listed', stage: 'import', isStored: () => true, already: [12345] })
    expect(debug).toEqual(['[Import] [Run 12345] Configuration 12345 is already archived'])
  })
})
