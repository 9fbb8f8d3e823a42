import { describe, expect, it } from 'vitest'
import { colored } from '../../src/common/colors.ts'

const plain = (text: string): string => text.replace(/\u001b\[\d+m/g, '')

describe('a coloured text', () => {
  it.each([
    '2026-11-28 01:21:11,994 - run_record_archiver - WARNING - [Import] slow\n',
    '2026-11-28 01:21:11,994 - run_record_archiver - ERROR - an ERROR in a message stays as it is\n',
    'ARTDAQDB (Intermediate Storage)\n----------------------------------------------------------------------\n✓ all\n✗ none\n',
    'run-archiver: no such file [CONFIG_INVALID]\nwarning: old\n',
  ])('has codes added, and nothing else changed: %j', (text) => {
    expect(colored(text)).not.toBe(text)
    expect(plain(colored(text))).toBe(text)
  })
  it('of a healthy line is the line itself', () => {
    const line = '2026-11-28 01:21:11,994 - run_record_archiver - INFO - an ERROR was cured\n'
    expect(colored(line)).toBe(line)
  })
})
