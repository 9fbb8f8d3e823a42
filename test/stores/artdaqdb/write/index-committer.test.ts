import { describe, expect, it } from 'vitest'
import { Database } from '../../../../src/stores/artdaqdb/index/database.ts'
import { Committer, type Waiting } from '../../../../src/stores/artdaqdb/write/index-committer.ts'

const facts = { version: 'standard00001', configurations: [], entities: [], aliases: [], runs: [] }
const runOf = (run: number, documents: number): Waiting => ({
  run,
  documents: Array.from({ length: documents }, (_, i) => ({
    collection: 'RunHistory',
    facts: { oid: `${run}-${i}`, ...facts },
  })),
  setAside: [],
  seen: new Set(),
})

/** Nothing is written here, so the database need not be there. */
const committer = (now: () => number): Committer => new Committer(new Database('/nowhere'), { now })

describe('documents that wait for their place in the index', () => {
  it('wait for more while there are few of them and little time has gone', () => {
    let time = 0
    const waiting = committer(() => time)
    waiting.add(runOf(1, 1000))
    expect(waiting.due()).toBe(false)
    time = 1000
    expect(waiting.due()).toBe(true)
  })

  it('are committed when there are many of them, however little time has gone: they are in memory', () => {
    const waiting = committer(() => 0)
    let runs = 0
    while (!waiting.due() && runs < 1000) waiting.add(runOf(++runs, 1000))
    expect(runs).toBe(50)
  })
})
