import { describe, expect, it } from 'vitest'
import { suggest } from '../../src/common/suggest.ts'

const NAMES = ['work_dir', 'batch_size', 'log_file', 'url']

describe('a name that is wrong', () => {
  it.each([
    ['workdir', 'work_dir'],
    ['batch_sise', 'batch_size'],
    ['bacth_size', 'batch_size'],
    ['LOG_FILE', 'log_file'],
    ['uri', 'url'],
  ])('%s is taken for %s', (wrong, meant) => {
    expect(suggest(wrong, NAMES)).toBe(meant)
  })
  it.each(['something_else', 'x', ''])('%j is taken for nothing', (wrong) => {
    expect(suggest(wrong, NAMES)).toBeUndefined()
  })
})
