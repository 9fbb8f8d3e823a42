import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { directiveOf, DirectiveReader } from '../../../src/tracking/client/directives.ts'
import { trackingPlace } from '../../../src/tracking/client/place.ts'
import { stageOf } from '../../../src/common/stage-patterns.ts'

describe('a line of output', () => {
  it.each([
    [
      '::progress 3/8 Alaska.csv',
      { op: 'progress', items_complete: 3, items_total: 8, message: 'Alaska.csv' },
    ],
    ['::progress 45% half', { op: 'progress', percent: 45, message: 'half' }],
    ['::step loading', { op: 'enter', message: 'loading' }],
    ['::end', { op: 'exit' }],
    ['::message a word', { op: 'message', message: 'a word' }],
    ['{"op":"progress","complete":1,"total":2}', { op: 'progress', items_complete: 1, items_total: 2 }],
  ])('%s reports', (line, operation) => expect(directiveOf(line)).toMatchObject(operation))
  it.each([
    'hello',
    ':: progress 1/2',
    '::progress',
    '::unknown 1',
    '{"a":1}',
    '{"op":',
    '{"op":"drop"}',
    '',
  ])('%j is output only', (line) => expect(directiveOf(line)).toBeUndefined())
  it('is found however the output is cut into pieces', () => {
    const text = Buffer.from('x\n::step ä\nhello ::end\n{"op":"exit"}\r\n::progress 1/2\n')
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const found: string[] = []
        const reader = new DirectiveReader(({ op }) => found.push(op))
        const places = [0, ...cuts.sort((a, b) => a - b), text.length]
        places.forEach((from, at) => reader.take(text.subarray(from, places[at + 1] ?? text.length)))
        expect(found).toEqual(['enter', 'exit', 'progress'])
      }),
    )
  })
})

describe('where a tracker reports to', () => {
  const settings = { url: 'sqlite:ledger.db', schema: 'tasker', password: undefined, workDir: '/w' }
  it.each([
    [
      { MONITOR_DB_CONN: "host=db port=5433 dbname=x user=me password='a b'" },
      'postgres://me:a%20b@db:5433/x',
    ],
    [{ MONITOR_DB_HOST: 'db' }, 'postgres://pipeline:@db:5432/geodb'],
    [{ TASKER_DB_NAME: 'x' }, 'postgres://pipeline:@localhost:5432/x'],
    [{ MONITOR_DB_CONN: 'off' }, 'off'],
    [{}, 'sqlite:ledger.db'],
  ])('by %j is %s', (env, url) => expect(trackingPlace(env, settings).url).toBe(url))
  it('without anything is geodb on this host', () =>
    expect(trackingPlace({}, undefined).url).toBe('postgres://pipeline:@localhost:5432/geodb'))
})

describe('the stage of a task', () => {
  it.each([
    ['DAILY_01.R', 'DAILY'],
    ['ANNUAL_SEPT_2.R', 'ANNUAL_SEPT'],
    ['PREREQ_x', 'PREREQ'],
    ['other_DAILY_', 'UNKNOWN'],
  ])('%s is %s', (task, stage) => expect(stageOf(task)).toBe(stage))
})
