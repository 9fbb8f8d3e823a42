import { describe, expect, it } from 'vitest'
import { colored, colorWish } from '../../src/common/colors.ts'

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

describe('what a command line says of colours', () => {
  it.each([
    [['history', '--color'], 'always', ['history']],
    [['config.yaml', '--color=always', '--report-status'], 'always', ['config.yaml', '--report-status']],
    [['doctor', '--color=never'], 'never', ['doctor']],
    [['doctor', '--no-color', '--json'], 'never', ['doctor', '--json']],
    [['doctor', '--color=auto'], 'auto', ['doctor']],
    [['doctor', '--color', '--no-color'], 'never', ['doctor']],
    [['doctor'], 'auto', ['doctor']],
    [['track', 'run', 'T', '--', 'ls', '--color'], 'auto', ['track', 'run', 'T', '--', 'ls', '--color']],
    [['doctor', '--color=blue'], 'auto', ['doctor', '--color=blue']],
  ] as const)('in %j is %s', (words, wish, others) => {
    expect(colorWish(words)).toEqual({ wish, others })
  })
})
