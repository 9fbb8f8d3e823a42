import { describe, expect, it } from 'vitest'
import { eventText } from '../../src/web/event-text.ts'

describe('the detail of an event', () => {
  it.each([
    ['{"state":"partial","exitCode":1}', 'state: partial; exit code: 1'],
    ['{"work_dir":"/w","stages":{"import":0,"migrate":2}}', 'work dir: /w; stages: import 0, migrate 2'],
    ['{"runs":[1,2]}', 'runs: 1, 2'],
  ])('%s is told in words', (detail, words) => expect(eventText(detail)).toBe(words))
  it.each(['disk is full', '{"cut off', '{}'])('%s is never lost', (detail) =>
    expect(eventText(detail)).toBe(detail),
  )
})
