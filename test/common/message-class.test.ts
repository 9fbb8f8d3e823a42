import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageClass } from '../../src/common/message-class.ts'

describe('the class of a message', () => {
  it.each([
    ['run 124300: no space left on /data/artdaq', 'run <n>: no space left on <path>'],
    ['blob 9425ecd6c00a41ff differs after 1.5 s', 'blob <digest> differs after <n> s'],
    ['execution 00000000-0000-4000-8000-00000000000a is lost', 'execution <id> is lost'],
    ['the ledger is away', 'the ledger is away'],
    ['defaced facade', 'defaced facade'],
  ])('of "%s" is "%s"', (message, expected) => expect(messageClass(message)).toBe(expected))

  it('is one for all numbers', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.string(), (one, other, words) => {
        const of = (run: number): string => messageClass(`run ${run} failed: ${words}`)
        expect(of(one)).toBe(of(other))
      }),
    )
  })
})
