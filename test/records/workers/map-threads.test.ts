import { describe, expect, it } from 'vitest'
import { readMapping } from '../../../src/records/mapping/read-mapping.ts'
import { answerOf, takeAnswer } from '../../../src/records/workers/map-task.ts'
import { MapThreads } from '../../../src/records/workers/map-threads.ts'
import { MAPPING, payload } from '../databases.ts'

const mapping = readMapping(MAPPING, 'm.yaml')
const plain = (key: string) => ({ sourceKey: key, now: 0, strict: false })

describe('payloads', () => {
  it('of a short run are mapped without a thread, those of a long one with them, or without where none can start', async () => {
    const warnings: string[] = []
    const threads = new MapThreads({
      mapping,
      start: { text: MAPPING, file: 'm.yaml' },
      threadFile: '/nowhere/records-worker.cjs',
      workers: 2,
      timeout: 1000,
      warn: (message) => warnings.push(message),
    })
    for (let id = 1; id <= 100; id++) await threads.map(payload(id), plain(String(id)))
    expect(warnings).toEqual([])
    const record = await threads.map(payload(101), plain('101'))
    expect(record.rows.get('orders')).toHaveLength(1)
    expect(warnings).toEqual([expect.stringContaining('payloads are mapped without threads')])
    await threads.close()
  })
  it('give the same answer from another thread, failures too', () => {
    const across = (text: string) =>
      takeAnswer(structuredClone(answerOf({ payload: text, options: plain('7') }, mapping)))
    expect(across(payload(7)).rows.get('orders')?.[0]?.get('record_id')).toBe(7)
    const broken = payload(7).replace('10.50', 'ten').replace('gift="Y"', 'gift="?"')
    expect(() => across(broken)).toThrow(
      expect.objectContaining({
        name: 'ItemError',
        code: 'VALUE_NOT_VALID',
        stage: 'map',
        place: { table: 'orders', column: 'total', path: '/order/@total' },
        others: [expect.objectContaining({ code: 'ENUM_UNKNOWN' }) as unknown],
      }) as Error,
    )
  })
})
