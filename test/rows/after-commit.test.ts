import { describe, expect, it } from 'vitest'
import { postgres } from '../../src/rows/dialects/postgres.ts'
import { settle } from '../../src/rows/settle.ts'
import type { Column, Pair, Table } from '../../src/rows/table.ts'
import { moveBetweenServers } from '../../src/rows/two-servers.ts'
import type { Session } from '../../src/sql/session.ts'

const ID: Column = {
  ...{ name: 'id', type: 'int8', fullType: 'bigint', nullable: false, hasDefault: false, generated: false },
  ...{ expression: undefined, length: undefined, octets: undefined, precision: undefined, scale: undefined },
  ...{ unsigned: false, charset: undefined, collation: undefined },
}
const table = (name: string): Table => ({
  ...{ schema: 'public', name, kind: 'table', engine: 'permanent', columns: [ID], key: ['id'] },
  shape: { question: [], answer: '[]' },
})
const pair: Pair = {
  ...{ source: table('r'), archive: table('ra'), columns: [{ source: ID, archive: ID }] },
  key: [{ name: 'id', type: 'integer', column: ID }],
}

/** A server without rows; its connection breaks at a statement. */
const server = (breaksAt?: string): Session => {
  const answer = (sql: string) =>
    sql === breaksAt
      ? Promise.reject(new Error('Connection terminated'))
      : Promise.resolve({ rows: [], affected: 0 })
  return {
    ...{ dialect: 'postgres', isShared: false, run: answer },
    runAll: (statements) => Promise.all(statements.map(({ sql }) => answer(sql))),
    ...{ destroy: () => undefined, close: () => Promise.resolve() },
  }
}

describe("an archive's connection that breaks when both servers have committed", () => {
  const archive = server('ROLLBACK')
  it('makes no failure of a batch that is done', async () => {
    const work = { dialect: postgres, pair, source: server(), archive, mode: 'move' as const }
    const { counts } = await moveBetweenServers(work, [['1']], () => [])
    expect(counts.notFound).toBe(1)
  })
  it('makes no failure of a conflict that is settled', async () => {
    let recorded = 0
    const record = (): Promise<void> => {
      recorded += 1
      return Promise.resolve()
    }
    const source = server()
    const work = { dialect: postgres, pair, source, archive, log: source }
    await settle(work, ['1'], { source: null, archive: null }, 'both', record)
    expect(recorded).toBe(1)
  })
  it('is seen where it breaks at a COMMIT', async () => {
    const work = { dialect: postgres, pair, source: server('COMMIT'), archive, mode: 'move' as const }
    await expect(moveBetweenServers(work, [['1']], () => [])).rejects.toThrow('Connection terminated')
  })
})
