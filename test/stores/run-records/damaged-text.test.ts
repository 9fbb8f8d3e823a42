import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { damageOfText } from '../../../src/stores/run-records/damaged-text.ts'

describe('a text file of a record', () => {
  it.each([
    ['ASCII', Buffer.from('Config name: demo\n\tx: 1\r\n')],
    ['UTF-8', Buffer.from('Größe → 10 µm, 日本語\n')],
    ['Latin-1 with accents', Buffer.from('temperature of the crate: 20 °C, Größe of the buffer\n', 'latin1')],
    ['empty, and not metadata.txt', Buffer.alloc(0)],
  ])('that is %s is none of our business', (_what, bytes) => {
    expect(damageOfText('settings.txt', bytes)).toBeUndefined()
  })

  it('that is empty is damaged where it is metadata.txt', () => {
    expect(damageOfText('metadata.txt', Buffer.alloc(0))).toBe('metadata.txt is empty')
  })

  it('of random bytes, or of zeros, is named', () => {
    for (let i = 0; i < 200; i++)
      expect(damageOfText('boot.txt', randomBytes(500))).toContain('boot.txt is not text')
    expect(damageOfText('boot.txt', Buffer.alloc(4096))).toContain('boot.txt is not text')
  })
})
