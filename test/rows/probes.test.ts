import { describe, expect, it } from 'vitest'
import { ServerProbe } from '../../src/rows/probes.ts'
import type { Session } from '../../src/sql/session.ts'

/** A source whose beats end as they are told to, one after the other, and then well. */
const source = (...ends: (Error | undefined)[]) => {
  const beats: string[] = []
  const session: Session = {
    ...{ dialect: 'postgres', isShared: false, runAll: () => Promise.resolve([]) },
    run: (sql) => {
      if (!sql.startsWith('INSERT')) return Promise.resolve({ rows: [], affected: 0 })
      beats.push(sql)
      const end = ends[beats.length - 1]
      return end ? Promise.reject(end) : Promise.resolve({ rows: [], affected: 1 })
    },
    ...{ destroy: () => undefined, close: () => Promise.resolve() },
  }
  return { session, beats }
}
/** Nobody answers there. */
const replica = { url: 'postgres://127.0.0.1:1/x', password: undefined, timeout: 100 }
const coded = (code: string): Error => Object.assign(new Error(code), { code })

describe('a beat of the source, from which the lag of replicas is measured', () => {
  it('goes on after trouble that passes, which the caller hears of', async () => {
    const { session, beats } = source(undefined, coded('57P01'))
    const probe = new ServerProbe([replica], 'heartbeat')
    await probe.lag(session)
    await expect(probe.lag(session)).rejects.toThrow('57P01')
    await probe.lag(session)
    expect(beats).toHaveLength(3)
  })
  it('is not tried again where it may not be written', async () => {
    const { session, beats } = source(coded('42501'))
    const probe = new ServerProbe([replica], 'heartbeat')
    await probe.lag(session)
    await probe.lag(session)
    expect(beats).toHaveLength(1)
  })
})
