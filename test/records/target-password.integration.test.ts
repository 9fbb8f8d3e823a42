import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/commands/records/run.ts'
import { MAPPING, printing } from './databases.ts'

/** A PostgreSQL that asks for a password in clear text, keeps what it is sent, and refuses it. */
class Listener {
  readonly passwords: string[] = []
  readonly #server: Server
  private constructor(server: Server) {
    this.#server = server
  }
  static async start(): Promise<Listener> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
        socket.once('data', (message) => {
          listener.passwords.push(message.subarray(5, -1).toString())
          socket.end()
        })
      })
    })
    const listener = new Listener(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return listener
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  stop(): void {
    this.#server.close()
  }
}

describe('the configured password of the target of records', () => {
  let folder = ''
  let configured: Listener
  let other: Listener
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'records-password-'))
    writeFileSync(join(folder, 'map.yaml'), MAPPING)
    configured = await Listener.start()
    other = await Listener.start()
  })
  afterEach(() => {
    configured.stop()
    other.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = async (settings: string, server?: string): Promise<string> => {
    const config = join(folder, 'config.yaml')
    writeFileSync(
      config,
      `app: { work_dir: ${folder} }\nrecords: { tasks: { orders: map.yaml }, ${settings} }\n`,
    )
    let said = ''
    const { context } = printing({ err: (text) => void (said += text) })
    const flags = server === undefined ? {} : { server, database: 'b' }
    await expect(runCommand({ task: 'orders', config, ...flags }, context)).rejects.toThrow()
    return said
  }
  const place = (): string => `127.0.0.1:${configured.port}/b`
  const ways: readonly [string, () => string][] = [
    ['target_password', () => `target_url: "postgres://a@${place()}", target_password: hidden-word`],
    ['target_url', () => `target_url: "postgres://a:hidden-word@${place()}"`],
    ['the end of target_url', () => `target_url: "postgres://a@${place()}?password=hidden-word"`],
  ]

  it.each(ways)('in %s is not sent to another server', async (_, settings) => {
    await run(settings(), `127.0.0.1,${other.port}`)
    expect(other.passwords.join('')).not.toContain('hidden-word')
    expect(configured.passwords).toEqual([])
  })
  it.each(ways)('in %s is sent to its own server, by any of its names', async (_, settings) => {
    expect(await run(settings())).not.toContain('is not sent')
    expect(await run(settings(), `localhost:${configured.port}`)).not.toContain('is not sent')
    expect(new Set(configured.passwords)).toEqual(new Set(['hidden-word']))
  })
  it('is told of where it is not sent', async () => {
    const said = await run(ways[0]![1](), `127.0.0.1,${other.port}`)
    expect(said).toContain('is for the server of records.target_url alone and is not sent')
    expect(said).not.toContain('hidden-word')
  })
  it('is for the server of the flags where no URL is configured', async () => {
    await run('target: postgres, target_password: hidden-word', `127.0.0.1,${other.port}`)
    expect(new Set(other.passwords)).toEqual(new Set(['hidden-word']))
  })
})
