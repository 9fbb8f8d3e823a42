import { describe, expect, it } from 'vitest'
import { url } from '../../src/config/addresses.ts'
import { pathOf } from '../../src/stores/artdaqdb/open.ts'

const kind = url('filesystemdb', 'mongodb')
const isAccepted = (work: () => unknown): boolean => {
  try {
    work()
    return true
  } catch {
    return false
  }
}

describe('a path of artdaqDB', () => {
  it.each([
    ['/var/db', true],
    ['/var/db-1_x.y/z', true],
    ['/var/my db', false],
    ['/var/$(id)', false],
    ["/var/it's", false],
    ['/var/%20', false],
    ['/var/d;b', false],
    ['/var/\u00e4', false],
  ])('%s is accepted by configuration and store alike: %s', (path, isGood) => {
    const uri = `filesystemdb://${path}`
    expect(isAccepted(() => kind.read(uri, undefined as never))).toBe(isGood)
    expect(isAccepted(() => pathOf(uri))).toBe(isGood)
  })
})
