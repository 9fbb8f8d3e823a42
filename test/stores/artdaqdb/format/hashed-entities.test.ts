import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { damageOfHashes } from '../../../../src/stores/artdaqdb/format/hashed-entities.ts'
import type { RunDocument } from '../../../../src/stores/run-record.ts'

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

const document = (entity: string): RunDocument => ({
  collection: 'RunHistory',
  entity,
  fhicl: `${entity}: 1\n`,
  text: Buffer.from(`${entity}: 1\n`),
  original: undefined,
})
const RECORD = ['boot', 'metadata', 'settings', 'tpc01'].map(document)
const LINES = ['boot', 'metadata', 'tpc01'].map((entity) => `${entity}:${md5(`${entity}: 1\n`)}`)
const SOUND = printed([...LINES, `configuration:${md5(LINES.join(','))}`])

function printed(lines: readonly string[]): string {
  return lines.map((line) => `\n${line.replace(':', ': ')} \n`).join('')
}

/** The text with the first digit of a digest changed. */
const otherDigest = (entity: string): string =>
  SOUND.replace(
    new RegExp(`(${entity}: )(.)`),
    (_, name: string, digit: string) => name + (digit === '0' ? '1' : '0'),
  )

describe('the document `hashes`', () => {
  it('that is sound is not damaged, whatever the record says by now', () => {
    expect(damageOfHashes(SOUND, RECORD)).toBeUndefined()
    expect(damageOfHashes(SOUND, [])).toBeUndefined()
  })
  it.each([
    ['a digest', otherDigest('boot'), 'for boot'],
    ['a name', SOUND.replace('boot', 'bnot'), 'for bnot'],
    ['a digit that is none', SOUND.replace(/(boot: )./, '$1g'), 'a line is lost'],
    ['a line that is lost', SOUND.replace(/boot: .*/, ''), 'a line is lost'],
    ['the last line', otherDigest('configuration'), 'the last one is wrong'],
    ['the last name', SOUND.replace('configuration', 'configuratiom'), 'its last line'],
  ])('is damaged: %s', (_, text, told) => {
    expect(text).not.toBe(SOUND)
    expect(damageOfHashes(text, RECORD)).toContain(told)
  })
  it('whose digests are made up is not called damaged', () => {
    const golden = 'boot: 0cc175b9c0f1b6a831c399e269772661\n\nmetadata: 92eb5ffee6ae2fec3ad71c777531578f\n\nconfiguration: 12345678901234567890123456789012\n' // prettier-ignore
    expect(damageOfHashes(golden, RECORD)).toBeUndefined()
  })
  it('of a record that has its own is not called damaged', () => {
    expect(damageOfHashes(otherDigest('boot'), [...RECORD, document('hashes')])).toBeUndefined()
  })
})
