import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verify } from '../../src/commands/verify.ts'
import { checksumOf, formatChecksum } from '../../src/stores/ucondb/checksum-file.ts'
import { contextOf } from '../context.ts'
import { functions } from './commands.ts'
import { DamagedSite } from './damaged-site.ts'
import { filesBelow, KINDS } from './damages.ts'
import type { Order, Way } from './lane.ts'
import { Lanes } from './lanes.ts'

/** Every twentieth goes through the command line; of the others the commands are called as functions. */
const COUNT = Number(process.env['ARCHIVER_DAMAGES'] ?? 20)
const SEED = Number(process.env['ARCHIVER_SEED'] ?? 20261128)
const LANES = Number(process.env['ARCHIVER_LANES'] ?? 2)
const EVERY = 20
const MOST_OF_A_CONTROL = 100

let lanes: Lanes
beforeAll(async () => {
  lanes = await Lanes.open(LANES)
}, 300_000)
afterAll(() => lanes.close())

const wayOf = (n: number): Way => (n % EVERY === 0 ? 'command line' : 'functions')

/** Each has a seed of its own, so that it does not matter which lane takes it. */
function* ordersOf(count: number, more: (n: number) => Omit<Order, 'seed'>): Generator<Order> {
  for (let n = 0; n < count; n++) yield { seed: (Math.imul(SEED, 0x9e3779b1) + n) >>> 0, ...more(n) }
}

/** On standard error at once, for whoever waits: a run of ten thousand takes an hour. */
const say = (text: string): void => void process.stderr.write(`${text}\n`)

describe('random damage', () => {
  it(
    `gives no reader wrong bytes, and is found where one gets nothing: ${COUNT} damages`,
    async () => {
      const began = performance.now()
      const all: string[] = []
      const tried = { functions: 0, 'command line': 0 }
      const orders = ordersOf(COUNT, (n) => ({ way: wayOf(n), kind: KINDS[n] }))
      await lanes.run(orders, ({ seed, way }, wrong) => {
        if (way in tried) tried[way as keyof typeof tried]++
        all.push(...wrong)
        for (const text of wrong) say(`WRONG (${way}, seed ${seed}) ${text}`)
        const count = tried.functions + tried['command line']
        if (count % 100 === 0)
          say(
            `damages: ${count} of ${COUNT}, ${tried['command line']} of them through the command line, in ${Math.round((performance.now() - began) / 1000)} s: ${all.length} wrong answers (seed ${SEED})`,
          )
        return true
      })
      expect(all).toEqual([])
      expect(tried).toEqual({
        functions: COUNT - Math.ceil(COUNT / EVERY),
        'command line': Math.ceil(COUNT / EVERY),
      })
    },
    60_000 + COUNT * 10_000,
  )

  it.each([
    {
      control: 'a reader without the checks gives wrong bytes',
      way: 'reads unchecked',
      noticed: 'wrong bytes',
    },
    { control: 'checks that look at nothing', way: 'finds nothing', noticed: 'nothing finds it' },
  ] as const)(
    'is noticed by this test: $control (control)',
    async ({ way, noticed }) => {
      let all = ''
      const orders = ordersOf(MOST_OF_A_CONTROL, () => ({ way, kind: 'bit', inDocuments: true }))
      await lanes.run(orders, (_, wrong) => !(all += wrong.join('\n')).includes(noticed))
      expect(all).toContain(noticed)
    },
    300_000,
  )

  it('is found where a blob and its checksum file both say something else', async () => {
    const damaged = new DamagedSite()
    const { site } = damaged
    await damaged.prepare(functions(site))
    const given = (): Promise<string | undefined> => damaged.given(functions(site), 1, 'archive')
    const before = await given()
    const blob = filesBelow(site.path('archive')).find((path) => path.endsWith('/1.txt'))!
    chmodSync(blob, 0o644)
    writeFileSync(blob, readFileSync(blob, 'utf8').replace('debug_level', 'debug_lexel'))
    expect(await given()).toBeUndefined()
    const sum = blob.replace('.txt', '.sha256')
    chmodSync(sum, 0o644)
    writeFileSync(sum, formatChecksum(checksumOf(readFileSync(blob), '1.txt', Date.now())))
    const after = await given()
    expect(after).toBeDefined()
    expect(after).not.toBe(before)
    expect(await verify({ config: site.config }, contextOf())).toBe(1)
    site.remove()
  })
})
