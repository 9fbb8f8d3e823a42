import { describe, expect, it } from 'vitest'
import { unavailable } from '../../src/stores/artdaqdb/index/store-errors.ts'
import { storeError } from '../../src/stores/ucondb/directory/errors.ts'

const failed = (code: string): Error => Object.assign(new Error(`${code}: as the system says it`), { code })

describe.each([
  ['artdaqDB', (error: Error) => unavailable('/db', error)],
  ['archive', (error: Error) => storeError(error, 'storing 7.txt')],
])('an error of the disk of %s', (place, asOurs) => {
  it.each([
    ['ENOSPC', 'disk is full: make room'],
    ['EROFS', 'is mounted read-only'],
    ['EACCES', 'Give the user of the archiver the right'],
  ])('%s has what helps', (code, hint) => {
    const ours = asOurs(failed(code))
    expect(ours).toMatchObject({ code: 'STORE_UNAVAILABLE', hint: expect.stringContaining(hint) as string })
    expect(ours).toHaveProperty('hint', expect.stringContaining(place))
  })
})
