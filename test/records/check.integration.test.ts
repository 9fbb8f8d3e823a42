import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkCommand } from '../../src/commands/records/check.ts'
import { answers, DIALECTS, MAPPING, openSite, printing, type Site } from './databases.ts'

const there = await Promise.all(DIALECTS.map(async (dialect) => [dialect, await answers(dialect)] as const))
for (const [dialect, isThere] of there) if (!isThere) console.warn(`skipped: no ${dialect} answers`)

interface Found {
  readonly severity: string
  readonly table: string
  readonly column?: string
  readonly message: string
  readonly line: number
}

describe.each(there.filter(([, isThere]) => isThere).map(([dialect]) => dialect))(
  'records check against %s',
  (dialect) => {
    let site: Site
    // One site for all: a check writes nothing.
    beforeAll(async () => {
      site = await openSite(dialect)
    })
    beforeEach(() => writeFileSync(join(site.folder, 'map.yaml'), MAPPING))
    afterAll(() => site.close())

    const check = async () => {
      const { context, printed } = printing()
      const code = await checkCommand({ task: 'orders', config: site.config, json: true }, context)
      const { target } = JSON.parse(printed()) as { target: Found[] }
      return { code, target, problems: target.filter(({ severity }) => severity === 'problem') }
    }
    const remap = (from: string, to: string): void => {
      expect(MAPPING).toContain(from)
      writeFileSync(join(site.folder, 'map.yaml'), MAPPING.replace(from, to))
    }

    it('finds that the tables fit, and writes nothing', async () => {
      expect(await check()).toMatchObject({ code: 0, problems: [] })
      await expect(site.count('SELECT COUNT(*) FROM processing_log')).rejects.toThrow()
    })
    it('takes a target that flags alone name', async () => {
      const { hostname, port, username, password, pathname } = new URL(site.url)
      const engine = dialect === 'sqlite' ? { database: pathname } : { server: `${hostname}:${port}`, database: pathname.slice(1), username } // prettier-ignore
      const secret = password === '' ? '' : `, target_password: "${password}"`
      const config = join(site.folder, 'flags.yaml')
      writeFileSync(
        config,
        `app: { work_dir: ${site.folder}/work }\nrecords: { tasks: { orders: map.yaml }, target: ${dialect}${secret} }\n`,
      )
      expect(await checkCommand({ task: 'orders', config, ...engine }, printing().context)).toBe(0)
    })
    it.each([
      ['a table that is missing', '- table: orders', '- table: nowhere', 'nowhere', 'no such table'],
      ['a column that is missing', 'total: {', 'totals: {', 'orders.totals', 'no such column'],
      [
        'rows that are inserted before those that they refer to',
        MAPPING.slice(MAPPING.indexOf('  - table: customers'), MAPPING.indexOf('bits:')),
        [
          MAPPING.slice(MAPPING.indexOf('  - table: orders'), MAPPING.indexOf('bits:')),
          MAPPING.slice(MAPPING.indexOf('  - table: customers'), MAPPING.indexOf('  - table: orders')),
        ].join(''),
        'orders',
        'refer to customers',
      ],
      ['a key without a unique index', 'key: [record_id, no]', 'key: [record_id]', 'lines', 'unique index'],
      [
        'a column that must not be null and has no source',
        '      placed: { from: /order/@placed, type: datetime, required: true }\n',
        '',
        'orders.placed',
        'must not be null',
      ],
    ])('finds %s', async (_what, from, to, place, message) => {
      remap(from, to)
      const { code, problems } = await check()
      expect(code).toBe(1)
      expect(
        problems.map(({ table, column, message: said }) => [
          column === undefined ? table : `${table}.${column}`,
          said,
        ]),
      ).toContainEqual([place, expect.stringContaining(message)])
      expect(problems.every(({ line }) => line > 1)).toBe(true)
    })
    const narrower: readonly (readonly [string, string, string, string, string])[] =
      dialect === 'sqlite'
        ? [['a decimal in a column of numbers', 'total: {', 'gift: {', 'orders.gift', 'declare it TEXT']]
        : [
            [
              'shorter texts',
              'type: text, length: 20',
              'type: text, length: 21',
              'customers.town',
              '20 characters',
            ],
            [
              'fewer digits behind the point',
              'precision: 19, scale: 2',
              'precision: 19, scale: 3',
              'orders.total',
              '2 digits after',
            ],
            [
              'fewer digits before it',
              'precision: 19, scale: 2',
              'precision: 20, scale: 2',
              'orders.total',
              '17 digits before',
            ],
            [
              'smaller numbers',
              'qty: { from: "@qty", type: integer }',
              'qty: { from: "@qty", type: bigint }',
              'lines.qty',
              'narrower',
            ],
            [
              'numbers for a text',
              'qty: { from: "@qty", type: integer }',
              'qty: { from: "@qty", type: text }',
              'lines.qty',
              'does not fit',
            ],
          ]
    it.each(narrower)('finds %s', async (_what, from, to, place, message) => {
      remap(from, to)
      if (dialect === 'sqlite')
        writeFileSync(
          join(site.folder, 'map.yaml'),
          MAPPING.replace(
            'gift: { from: /order/@gift, bit: yn }',
            'gift: { from: /order/@total, type: decimal }',
          ),
        )
      const { code, problems } = await check()
      expect(code).toBe(1)
      expect(problems.map(({ table, column, message: said }) => [`${table}.${column}`, said])).toEqual([
        [place, expect.stringContaining(message)],
      ])
    })
    it('notes a column that must not be null and may have no value', async () => {
      remap('type: datetime, required: true', 'type: datetime')
      const { code, target } = await check()
      expect(code).toBe(0)
      expect(target).toContainEqual(
        expect.objectContaining({ severity: 'note', table: 'orders', column: 'placed' }),
      )
    })
  },
)
