import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/common/secret.ts'
import { Guard } from '../../src/web/guard.ts'

describe('tries of a token', () => {
  const opened = () => {
    let time = 1_000_000_000
    const guard = new Guard({
      hosts: new Set(['127.0.0.1']),
      token: new Secret('right'),
      writeToken: undefined,
      base: '',
      secure: false,
      now: () => time,
    })
    const tryUntilLate = (): number => {
      for (let tries = 0; tries < 100; tries++) if (guard.login('wrong') === 'late') return tries
      return Infinity
    }
    return { guard, tryUntilLate, pass: (ms: number) => (time += ms) }
  }

  it('are few in a minute, then nobody gets in, and after it everybody may try again', () => {
    const { guard, tryUntilLate, pass } = opened()
    expect(tryUntilLate()).toBeLessThan(20)
    expect(guard.login('right')).toBe('late')
    pass(61_000)
    expect(guard.login('right')).toBe('in')
  })

  it('are forgotten after a minute, too, when the clock was set back by a day', () => {
    const { guard, tryUntilLate, pass } = opened()
    tryUntilLate()
    pass(-86_400_000)
    expect(guard.login('right')).toBe('in')
  })
})

describe('a token whose file is replaced while the page runs', () => {
  let text = 'old-token-of-the-page'
  const guard = new Guard({
    hosts: new Set(['127.0.0.1']),
    token: new Secret(text, () => {
      if (text === '') throw new Error('it holds no token')
      return text
    }),
    writeToken: undefined,
    base: '',
    secure: false,
    now: () => 0,
  })
  const bearer = (token: string): Headers => new Headers({ authorization: `Bearer ${token}` })

  it('no longer counts, nor does the cookie that was given for it; the new one does', () => {
    const old = text
    const cookie = guard.cookie(true).split(';')[0] ?? ''
    expect([guard.mayAct(bearer(old)), guard.mayAct(new Headers({ cookie }))]).toEqual([true, true])
    text = 'new-token-of-the-page'
    expect([guard.mayAct(bearer(old)), guard.mayAct(new Headers({ cookie }))]).toEqual([false, false])
    expect([guard.mayAct(bearer(text)), guard.mayReport(bearer(text)), guard.login(text)]).toEqual([
      true,
      true,
      'in',
    ])
  })

  it('lets nobody in when it is withdrawn and no other takes its place', () => {
    const old = text
    const cookie = guard.cookie(true).split(';')[0] ?? ''
    text = ''
    expect([guard.mayAct(bearer(old)), guard.mayAct(new Headers({ cookie })), guard.login(old)]).toEqual([
      false,
      false,
      'wrong',
    ])
  })
})
