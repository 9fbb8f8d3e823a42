import fc from 'fast-check'
import { expect, it } from 'vitest'
import { keyOf } from '../../../../src/stores/ucondb/keys.ts'
import { newestUpdate } from '../../../../src/stores/ucondb/web/newest-update.ts'

const signal = new AbortController().signal

/** A server that holds these updates of run 88. */
const serverWith = (updates: readonly number[], knowsLookup: boolean) => {
  const held = new Set(updates.map((update) => keyOf(88, update)))
  return {
    asked: 0,
    taken(keys: readonly string[]) {
      this.asked++
      return Promise.resolve(new Set(knowsLookup ? keys.filter((key) => held.has(key)) : []))
    },
    has(key: string) {
      this.asked++
      return Promise.resolve(held.has(key))
    },
  }
}

const updates = fc.uniqueArray(fc.nat({ max: 20 }), { minLength: 1, maxLength: 8 })

it('is the greatest, whatever gaps there are, with a lookup that names them or none', async () => {
  await fc.assert(
    fc.asyncProperty(updates, fc.boolean(), async (held, knowsLookup) => {
      expect(await newestUpdate(serverWith(held, knowsLookup), 88, signal)).toBe(Math.max(...held))
    }),
  )
})

it('is 0 where there is no key at all', async () => {
  expect(await newestUpdate(serverWith([], true), 88, signal)).toBe(0)
})

it('of a run that never changed takes two questions', async () => {
  const server = serverWith([0], true)
  expect(await newestUpdate(server, 88, signal)).toBe(0)
  expect(server.asked).toBe(2)
})
