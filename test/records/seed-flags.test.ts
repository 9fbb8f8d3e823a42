import { describe, expect, it } from 'vitest'
import { readSeedFlags } from '../../src/commands/records/seed-flags.ts'

describe('flags of the original', () => {
  it('that have nothing to do are told once each', () => {
    expect(readSeedFlags({})).toEqual([])
    expect(readSeedFlags({ chunkSize: '500', disableMars: true })).toEqual([
      expect.stringContaining('--chunk-size does nothing'),
      expect.stringContaining('--disable-mars does nothing'),
    ])
  })
  it.each(['password', 'server', 'database', 'username'])('are refused: --%s, without its value', (name) => {
    const refused = (): unknown => readSeedFlags({ [name]: 'hidden-word' })
    expect(refused).toThrow(`--${name} is refused`)
    expect(refused).not.toThrow('hidden-word')
  })
})
