import { describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/common/secret.ts'
import {
  authorize,
  type Challenge,
  challengeIn,
  DigestSession,
  secretOf,
} from '../../../../src/stores/ucondb/web/digest-auth.ts'
import { challenge as uconChallenge, judge } from '../../../fakes/ucon-server-digest.ts'

describe('a digest answer', () => {
  const rfc = {
    realm: 'http-auth@example.org',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
    qop: ['auth', 'auth-int'],
  }
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'
  const mufasa = (challenge: Challenge, password: string): string => {
    const secret = secretOf(challenge, 'Mufasa', password, cnonce)
    return authorize(challenge, {
      user: 'Mufasa',
      secret,
      method: 'GET',
      uri: '/dir/index.html',
      cnonce,
      count: 1,
    })
  }
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('with %s is that of RFC 7616 section 3.9.1', (algorithm, response) => {
    expect(mufasa({ ...rfc, algorithm }, 'Circle of Life')).toContain(`response="${response}"`)
  })

  it('to a server older than qop is that of RFC 2069', () => {
    const old = {
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      opaque: undefined,
      algorithm: 'MD5',
      qop: [],
    }
    const header = mufasa(old, 'CircleOfLife')
    expect(header).toContain('response="1949323746fe6a43ef61f9606e7febea"')
    expect(header).not.toContain('nc=')
  })

  it('is taken by the UconDB server, with its odd nonce, as often as the nonce is used', () => {
    const session = new DigestSession('writer', new Secret('a "b", ü'), () => 'abcdef')
    session.accept(challengeIn(uconChallenge('public.test01', 1_795_294_449))!)
    for (let count = 1; count <= 17; count++) {
      const header = session.authorization('POST', '/app/data/test01/configuration?key=1')
      expect(judge(header, 'POST', 'public.test01', new Map([['writer', 'a "b", ü']]))).toEqual({
        type: 'accepted',
      })
      expect(header).toContain(`nonce="b'MTc5NTI5NDQ0OQ=='"`)
      expect(header).toContain(`nc=${count.toString(16).padStart(8, '0')}`)
    }
  })

  it('is not given before anybody asked', () => {
    expect(new DigestSession('writer', new Secret('x'), () => 'a').authorization('POST', '/')).toBeUndefined()
  })
})

describe('a challenge', () => {
  it('is the strongest that can be answered', () => {
    const header =
      'Basic realm="a, b", Digest realm="x \\"y\\", z", nonce="n=1", qop="auth,auth-int", algorithm=SHA-256, ' +
      'Digest realm="x", nonce=abc, algorithm=MD5, Digest realm="x", nonce="q", algorithm=SHA3-512'
    expect(challengeIn(header)).toMatchObject({
      realm: 'x "y", z',
      nonce: 'n=1',
      algorithm: 'SHA-256',
      qop: ['auth', 'auth-int'],
    })
    expect(challengeIn(['Basic realm="x"', 'Digest nonce="n"'])).toMatchObject({
      nonce: 'n',
      algorithm: 'MD5',
      qop: [],
    })
  })

  it.each([
    undefined,
    '',
    'Basic realm="x"',
    'Bearer',
    'Digest realm="x"',
    'Digest nonce="n", qop="auth-int"',
    'Digest nonce="n", algorithm=SHA3-512',
  ])('%j cannot be answered', (header) => {
    expect(challengeIn(header)).toBeUndefined()
  })
})
