import { describe, expect, it } from 'vitest'
import { Guard } from '../../src/web/guard.ts'

describe('tries of a token', () => {
  const opened = () => {
    let time = 1_000_000_000
    const guard = new Guard({
      hosts: new Set(['127.0.0.1']),
      token: 'right',
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
