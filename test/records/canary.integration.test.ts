import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditCommand } from '../../src/commands/records/audit.ts'
import { checkCommand } from '../../src/commands/records/check.ts'
import { deadLetterCommand } from '../../src/commands/records/dead-letter.ts'
import { planCommand } from '../../src/commands/records/plan.ts'
import { reportCommand } from '../../src/commands/records/report.ts'
import { retryCommand } from '../../src/commands/records/retry.ts'
import { runCommand } from '../../src/commands/records/run.ts'
import { identity } from '../../src/platform/host.ts'
import { ITEM_CODES, type ItemCode } from '../../src/records/item-error.ts'
import type { SqlRow } from '../../src/records/sql/database.ts'
import { openFile } from '../../src/sql/libsql-database.ts'
import { openSite, printing, type Site } from './databases.ts'

/** A value of a person; nothing but tables, payloads and files asked for may hold it. */
const CANARY = 'Weidenau'

const mapping = (format: 'xml' | 'json') => `version: 1
source: { table: source_records, key: record_id, payload: payload, format: ${format} }
record: { root: r, key: /r/@id, key_type: bigint }
limits: { depth: 9, nodes: 60, attributes: 6 }
required: [/r/head]
lists:
  people: { each: /r/p, require: { "@pid": present }, otherwise: fail, max: 3, unique: { by: ["@pid"], then: fail } }
tables:
  - table: people
    each: people
    key: [pid]
    columns: { pid: { from: "@pid", type: text }, name: { from: "@name", type: text } }
  - table: facts
    key: [id]
    columns:
      id: { from: $key, type: bigint }
      n: { from: /r/@n, type: smallint }
      short: { from: /r/@short, type: text, length: 4 }
      code: { from: /r/@code, enum: codes }
      one: { from: /r/one/@v, type: text }
      must: { from: /r/head/@must, type: text, required: true }
      sum: { expr: "r.x + 1", type: decimal }
      free: { from: /r/@free, type: text }
      cut: { from: /r/@cut, type: text, length: 3, on_long: cut }
  - { table: tags, each: /r/tag, key: [tag], columns: { tag: { from: "@tag", type: text } } }
  - table: numbers
    key: [number]
    rows: [{ set: { number: { from: /r/@number, type: text } }, when: "r.number IS NOT EMPTY" }]
enums: { codes: { A: 1 } }
`
const sound = (id: number, attributes = '', inside = ''): string =>
  `<r id="${id}" ${attributes}><head must="x"/>${inside}</r>`
const person = (pid: string, name = CANARY): string => `<p pid="${pid}" name="${name}"/>`

/** A payload for each code, with the canary where it hurts. The key of the source row is the index, from 1. */
const CASES: readonly (readonly [ItemCode | 'stored', (id: number) => string | Buffer])[] = [
  ['stored', (id) => sound(id, '', person('s1'))],
  ['PAYLOAD_EMPTY', () => ' '],
  ['XML_ENCODING', () => Buffer.from(`<?xml version="1.0" encoding="${CANARY}"?><r/>`)],
  ['XML_ENCODING', () => Buffer.concat([Buffer.from(`<r v="${CANARY}`), Buffer.from([0xff])])],
  ['XML_DOCTYPE', () => `<!DOCTYPE ${CANARY} [<!ENTITY a "${CANARY}">]><r/>`],
  ['XML_TOO_DEEP', (id) => `<r id="${id}">${`<${CANARY}>`.repeat(12)}`],
  ['XML_TOO_LARGE', (id) => `<r id="${id}">${`<a b="${CANARY}"/>`.repeat(80)}</r>`],
  ['XML_NOT_WELL_FORMED', (id) => `<r id="${id}"><${CANARY} ${CANARY}="1" ${CANARY}="2">&${CANARY};`],
  ['XML_NOT_WELL_FORMED', (id) => `<r id="${id}"><a></${CANARY}></r>`],
  ['XML_NOT_WELL_FORMED', () => `<?xml version="${CANARY}"?><r/>`],
  ['ROOT_MISMATCH', () => `<${CANARY}/>`],
  ['KEY_MISSING', () => `<r no="${CANARY}"><head/></r>`],
  ['KEY_NOT_VALID', () => `<r id="${CANARY}"><head/></r>`],
  ['KEY_MISMATCH', () => `<r id="424242"><head must="${CANARY}"/></r>`],
  ['REQUIRED_ELEMENT', (id) => `<r id="${id}" free="${CANARY}"/>`],
  ['ELEMENT_REJECTED', (id) => sound(id, '', `<p name="${CANARY}"/>`)],
  ['DUPLICATE_ELEMENT', (id) => sound(id, '', person(CANARY) + person(CANARY))],
  ['VALUE_NOT_VALID', (id) => sound(id, `n="${CANARY}"`)],
  ['VALUE_OUT_OF_RANGE', (id) => sound(id, 'n="424242"')],
  ['VALUE_TOO_LONG', (id) => sound(id, `short="${CANARY}"`)],
  ['REQUIRED_MISSING', (id) => `<r id="${id}" free="${CANARY}"><head/></r>`],
  ['ENUM_UNKNOWN', (id) => sound(id, `code="${CANARY}"`)],
  ['ELEMENT_AMBIGUOUS', (id) => sound(id, '', `<one v="${CANARY}"/><one v="${CANARY}2"/>`)],
  ['EXPRESSION', (id) => sound(id, `x="${CANARY}"`)],
  ['CONFLICT', (id) => sound(id, '', person('s1', `${CANARY} the other`))],
  [
    'DUPLICATE_ROW',
    (id) => sound(id, `n="${CANARY}"`, `<tag tag="${CANARY}"/>`.repeat(2)).replace('n=', 'm='),
  ],
  // The first of two errors: the key that is named twice stands among the others.
  ['VALUE_NOT_VALID', (id) => sound(id, `n="${CANARY}"`, `<tag tag="${CANARY}"/>`.repeat(2))],
  ['CONSTRAINT', (id) => sound(id, `free="forbidden ${CANARY}"`)],
  // A text for a column that holds nothing but whole numbers.
  ['STORE_REFUSED', (id) => sound(id, `number="${CANARY}"`)],
  ['POISON', (id) => sound(id, `free="${CANARY}"`)],
  ['SOURCE_GONE', (id) => sound(id, `free="${CANARY}"`)],
]
const keyOf = (code: ItemCode): number => CASES.findIndex(([one]) => one === code) + 1

/** What a process leaves behind that has died three times with an item in hand. */
const leaveLost = (work: string, key: number): void => {
  mkdirSync(join(work, 'records'))
  const { host, bootId } = identity()
  const note = { host, pid: 1, boot_id: bootId, start_ticks: 1, in_hand: [], losses: { [key]: 3 } }
  writeFileSync(join(work, 'records', 'orders.in-hand-1-1.json'), `${JSON.stringify(note)}\n`)
}

/** Does something when the first item is read. */
const atFirstRead = (work: () => void): void => {
  const steps = globalThis as unknown as Record<symbol, ((name: string) => void) | undefined>
  const hook = Symbol.for('run-archiver.step')
  steps[hook] = (name) => {
    if (name !== 'records: read') return
    steps[hook] = undefined
    work()
  }
}

const everything = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')

describe('a value of a payload', () => {
  let site: Site
  let said = ''
  /** The log before anything was retried: what was poison gets another chance then. */
  let log: SqlRow[] = []
  const dead = (): string => join(site.folder, 'dead')

  beforeAll(async () => {
    site = await openSite('sqlite')
    const sql = (text: string, values: unknown[] = []) => site.database.session.change(text, values)
    await sql('CREATE TABLE people (pid TEXT PRIMARY KEY, name TEXT)')
    await sql(
      "CREATE TABLE facts (id INTEGER PRIMARY KEY, n INT, short TEXT, code INT, one TEXT, must TEXT, sum TEXT, free TEXT CHECK (free NOT LIKE 'forbidden%'), cut TEXT)",
    )
    await sql('CREATE TABLE tags (tag TEXT PRIMARY KEY)')
    await sql('CREATE TABLE numbers (number INTEGER PRIMARY KEY)')
    appendFileSync(site.config, `metrics: { textfile: "${site.folder}/work/archiver.prom" }\n`)
    writeFileSync(join(site.folder, 'map.yaml'), mapping('xml'))
    for (const [index, [, make]] of CASES.entries())
      await sql('INSERT INTO source_records (record_id, payload) VALUES (?, ?)', [index + 1, make(index + 1)])
    leaveLost(join(site.folder, 'work'), keyOf('POISON'))
    const source = openFile(join(site.folder, 'target.db'), 1000)
    atFirstRead(() => {
      source.prepare('DELETE FROM source_records WHERE record_id = ?').run([keyOf('SOURCE_GONE')])
      source.close()
    })
    const { context, printed } = printing({ err: (text) => void (said += text) })
    const about = { task: 'orders', config: site.config }
    await runCommand({ ...about, workers: '1', logLevel: 'debug', json: true }, context)
    await runCommand({ ...about, workers: '1', logLevel: 'debug' }, context)
    log = await site.database.session.rows('SELECT * FROM processing_log ORDER BY app_id')
    await retryCommand({ ...about, workers: '1' }, context)
    for (const json of [true, false]) {
      await reportCommand({ ...about, failed: true, json }, context)
      await auditCommand({ ...about, json }, context)
      await checkCommand({ ...about, json }, context)
      await deadLetterCommand({ ...about, to: dead(), json }, context)
    }
    mkdirSync(join(site.folder, 'plans'))
    const given = join(site.folder, 'given.json')
    writeFileSync(given, JSON.stringify({ people: [{ pid: 's1', name: CANARY }] }))
    for (const [index, [, make]] of CASES.entries()) {
      const item = join(site.folder, 'plans', String(index + 1))
      writeFileSync(item, make(index + 1))
      for (const json of [true, false])
        await planCommand(
          { item, mapping: join(site.folder, 'map.yaml'), sourceKey: String(index + 1), given, json },
          context,
        )
    }
    said += printed()
  }, 120_000)
  afterAll(() => site.close())

  it('fails by each code that a payload can bring about', () => {
    const codes = CASES.map(([code], index) => ({ app_id: index + 1, code: code === 'stored' ? null : code }))
    expect(log.map(({ app_id, code }) => ({ app_id, code }))).toEqual(codes)
    // Of a file that cannot be read there is no payload: unreadable-files.
    const elsewhere: ItemCode[] = ['JSON_NOT_VALID', 'STRICT', 'SOURCE_UNREADABLE']
    expect(new Set([...CASES.map(([code]) => code), ...elsewhere, 'stored'])).toEqual(
      new Set([...Object.keys(ITEM_CODES), 'stored']),
    )
  })
  it('stands in nothing that is printed', () => {
    expect(said).toContain('XML_NOT_WELL_FORMED')
    expect(said).not.toContain(CANARY)
    expect(said).not.toContain('424242')
  })
  it('stands in no log, metrics, ledger and file of the work_dir', () => {
    const written = everything(join(site.folder, 'work'))
    expect(written).toContain('CONFLICT')
    expect(written).not.toContain(CANARY)
    expect(written).not.toContain('424242')
  })
  it('stands in no row of processing_log', async () => {
    const now = await site.database.session.rows('SELECT * FROM processing_log')
    for (const rows of [log, now]) {
      expect(JSON.stringify(rows)).not.toContain(CANARY)
      expect(JSON.stringify(rows)).not.toContain('424242')
    }
  })
  it('stands in no manifest of dead letters, but in the payloads beside it', () => {
    expect(readFileSync(join(dead(), 'manifest.jsonl'), 'utf8')).not.toContain(CANARY)
    expect(everything(dead())).toContain(CANARY)
  })
  it('would be found: it stands in what --show-values prints', async () => {
    const { context, printed } = printing()
    await planCommand(
      {
        item: join(site.folder, 'plans', '1'),
        mapping: join(site.folder, 'map.yaml'),
        sourceKey: '1',
        showValues: true,
      },
      context,
    )
    expect(printed()).toContain(CANARY)
  })
  it('stands in no refusal of a warning', async () => {
    const item = join(site.folder, 'plans', 'strict')
    writeFileSync(item, sound(7, `cut="${CANARY}"`))
    const { context, printed } = printing()
    for (const json of [true, false])
      await planCommand({ item, mapping: join(site.folder, 'map.yaml'), strict: true, json }, context)
    expect(printed()).toContain('STRICT')
    expect(printed()).not.toContain(CANARY)
  })
  it('stands in no refusal of a JSON payload', async () => {
    const file = join(site.folder, 'json.yaml')
    writeFileSync(file, mapping('json'))
    const { context, printed } = printing()
    for (const text of [
      `{"${CANARY}": ${CANARY}`,
      `{"r":{"${CANARY}":1,"${CANARY}":2}}`,
      `{"${CANARY}":{}}`,
      `"${CANARY}"`,
      `{"r":{"id":"${CANARY}"}}`,
    ]) {
      const item = join(site.folder, 'plans', 'json')
      writeFileSync(item, text)
      for (const json of [true, false]) await planCommand({ item, mapping: file, json }, context)
    }
    expect(printed()).toContain('JSON_NOT_VALID')
    expect(printed()).not.toContain(CANARY)
  })
})
