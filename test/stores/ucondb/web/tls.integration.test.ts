import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { packed } from '../../../conformance/archive.ts'
import { UconServer, type UconServerOptions } from '../../../fakes/ucon-server.ts'
import { openTo } from './open-to.ts'

const signal = new AbortController().signal
const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl)
  console.warn('SKIPPED: the TLS tests make their certificates with openssl, which is not installed')

let folder: string
const file = (name: string): string => readFileSync(join(folder, name), 'utf8')
const openssl = (...args: string[]): void =>
  void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })

/** A certificate for a name, signed by the test's own authority. */
const certify = async (name: string, subject: string, days: string[]): Promise<void> => {
  await writeFile(join(folder, `${name}.ext`), `subjectAltName=${subject}\n`)
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    '/CN=ucon',
  )
  const signed = [
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    `${name}.pem`,
    '-extfile',
    `${name}.ext`,
  ]
  openssl('x509', '-req', '-in', `${name}.csr`, ...signed, ...days)
}

const servers: UconServer[] = []
const start = async (name: string, more: UconServerOptions['tls'] = {}): Promise<UconServer> => {
  const server = await UconServer.start({
    tls: { key: file(`${name}.key`), cert: file(`${name}.pem`), ...more },
  })
  servers.push(server)
  return server
}

describe.skipIf(!hasOpenssl)('H12: a server behind TLS', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ucon-tls-'))
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
    )
    await certify('good', 'IP:127.0.0.1', ['-days', '2'])
    await certify('other-host', 'DNS:elsewhere.example', ['-days', '2'])
    await certify('expired', 'IP:127.0.0.1', ['-days', '-1'])
  })
  afterAll(() => rm(folder, { recursive: true }))
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  it('whose authority ca_file names is trusted', async () => {
    const server = await start('good')
    const archive = openTo(server, { ca: file('ca.pem') })
    expect(await archive.put(1, 0, packed(1, 'x'), signal)).toBe('stored')
    await archive.close()
  })

  it.each([
    { what: 'whose authority nobody knows', name: 'good', trusted: false },
    { what: 'that is somebody else', name: 'other-host', trusted: true },
    { what: 'whose certificate has run out', name: 'expired', trusted: true },
  ])('$what is not trusted, is told why, and is sent nothing', async ({ name, trusted }) => {
    const server = await start(name)
    const archive = openTo(server, trusted ? { ca: file('ca.pem') } : {})
    const refused = archive.put(1, 0, packed(1, 'x'), signal)
    await expect(refused).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      hint: expect.any(String) as string,
    })
    await expect(refused).rejects.toThrow(/cannot be trusted/)
    expect(server.seen).toEqual([])
    await archive.close()
  })

  it('that speaks TLS 1.1 at most is not spoken to', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const server = await start('good', old)
    const archive = openTo(server, { ca: file('ca.pem') })
    await expect(archive.put(1, 0, packed(1, 'x'), signal)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    expect(server.seen).toEqual([])
    await archive.close()
  })

  it('is checked even where the environment says that nothing is', async () => {
    const server = await start('good')
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const archive = openTo(server)
      await expect(archive.probe(signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await archive.close()
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    }
  })
})

describe('H12: an environment that switches verification off', () => {
  it('is refused at the start', () => {
    const open = (): unknown => openTo({ url: 'https://127.0.0.1:1/app' }, { tlsRejectUnauthorized: '0' })
    expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

describe('H12: a ca_file', () => {
  it.each(['', 'no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'with %j in it is refused at the start, not taken for none',
    (ca) => {
      const open = (): unknown => openTo({ url: 'https://127.0.0.1:1/app' }, { ca })
      expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    },
  )
})
