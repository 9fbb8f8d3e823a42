import { describe, expect, it } from 'vitest'
import { redactUrl } from '../../src/core/redact-url.ts'

describe('a URL that is shown', () => {
  it.each([
    ['mongodb://daq:pass@h:27017/db', 'mongodb://daq:[secret]@h:27017/db'],
    ['mongodb://daq:p@ss:w@h,h2/db?x=1', 'mongodb://daq:[secret]@h,h2/db?x=1'],
    ['postgres://:pass@h/d', 'postgres://:[secret]@h/d'],
    ['https://h/x?token=abc&y=1', 'https://h/x?token=[secret]&y=1'],
    ['filesystemdb:///daq/db', 'filesystemdb:///daq/db'],
    ['https://h:9443/x', 'https://h:9443/x'],
    ['cannot reach mongodb://a:b@c (refused)', 'cannot reach mongodb://a:[secret]@c (refused)'],
    ['sqlite:ledger.db', 'sqlite:ledger.db'],
  ])('%s becomes %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })
})
