import { describe, expect, it } from 'vitest'
import { hostNames } from '../../src/app/page-address.ts'

describe('the names under which the page answers', () => {
  it('have the port, which a browser leaves out where it is that of http', () => {
    expect(hostNames('192.0.2.1', 8090, undefined)).toEqual(['192.0.2.1:8090'])
    expect(hostNames('192.0.2.1', 80, undefined)).toEqual(['192.0.2.1', '192.0.2.1:80'])
    expect(hostNames('127.0.0.1', 80, undefined)).toContain('localhost')
  })
})
