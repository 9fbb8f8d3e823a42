import {
  createServer as createPlain,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTls, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { challenge, judge } from './ucon-server-digest.ts'
import { type Fault, Faults } from './ucon-server-faults.ts'
import { Reply, Refusal, type Request, parseTarget } from './ucon-server-http.ts'
import { Folder, type Version } from './ucon-server-store.ts'

export interface UconServerOptions {
  readonly port?: number
  readonly prefix?: string
  /** Full names. The users of each are the same. */
  readonly folders?: readonly string[]
  readonly users?: Readonly<Record<string, string>>
  readonly auth?: 'digest' | 'none'
  readonly readOnly?: boolean
  /** Versions that are made up when they are listed. */
  readonly synthetic?: number
  /** As behind a front end that buffers replies: Content-Length on everything, connections stay open. */
  readonly keepAlive?: boolean
  /** How long each request takes longer, milliseconds. */
  readonly latency?: number
  readonly tls?: ServerOptions
  readonly faults?: readonly Fault[]
}

/** A request as the server saw it, for tests that ask what was sent. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  /** Of the body, as far as it was read. */
  bytes: number
  readonly socket: number
}

/**
 * A server that behaves on the wire as the UconDB server 3.9.7 does, its oddities included (see each reply below), and
 * goes wrong when told to. It keeps everything in memory.
 */
export class UconServer {
  readonly folders = new Map<string, Folder>()
  readonly seen: Seen[] = []
  readonly faults = new Faults()
  readonly #options: UconServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #connections = 0
  /** Uploads hold it while their body arrives, and every other request waits for it. */
  #lock: Promise<unknown> = Promise.resolve()
  /** The database: gone while true. */
  databaseDown = false

  private constructor(options: UconServerOptions) {
    this.#options = options
    for (const name of options.folders ?? ['public.test01'])
      this.folders.set(name, new Folder(name, options.synthetic ?? 0))
    for (const fault of options.faults ?? []) this.faults.add(fault)
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(request, response).catch(() => request.socket.destroy())
    this.#server = options.tls ? createTls(options.tls, listener) : createPlain(listener)
    this.#server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      numbers.set(socket, ++this.#connections)
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined)
    })
    this.#server.on('tlsClientError', () => undefined)
  }

  static async start(options: UconServerOptions = {}): Promise<UconServer> {
    const server = new UconServer(options)
    await new Promise<void>((resolve) => server.#server.listen(options.port ?? 0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}${this.prefix}`
  }

  get prefix(): string {
    return this.#options.prefix ?? '/instance/app'
  }

  /** The one folder of most tests. */
  get folder(): Folder {
    return this.folders.values().next().value!
  }

  get connections(): number {
    return this.#connections
  }

  /** The bytes at a key of object `configuration`, as they are stored. */
  blob(key: string): Buffer | undefined {
    const version = this.folder.find('configuration', key)
    return version && this.folder.blob(version.data_key)
  }

  /** Closes every connection, as a front end does with those that were idle for too long. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.hangUp()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const began = (performance.timeOrigin + performance.now()) / 1000
    const { method = '', socket, url = '' } = incoming
    incoming.on('error', () => undefined)
    if (url !== this.prefix && !url.startsWith(`${this.prefix}/`)) {
      socket.end('HTTP/1.1 404 Service not found\n\n')
      return
    }
    const path = url.slice(this.prefix.length)
    const fault = this.faults.next(method, path)
    const reply = new Reply(outgoing, fault, this.#options.keepAlive ?? false, method === 'HEAD')
    const { authorization } = incoming.headers
    const seen: Seen = { method, path, authorization, bytes: 0, socket: numbers.get(socket) ?? 0 }
    this.seen.push(seen)
    if (fault?.kind === 'reset' && fault.when === 'at once') {
      socket.resetAndDestroy()
      return
    }
    if (this.#options.latency) await sleep(this.#options.latency)
    await this.#lock
    let reading: Promise<Buffer> | undefined
    const request: Request = {
      method,
      headers: incoming.headers,
      began,
      fault,
      body: () => (reading ??= this.#body(incoming, seen)),
    }
    let done: Reply
    try {
      const target = parseTarget(path)
      const instead = fault !== undefined && INSTEAD.includes(fault.kind)
      if (instead || !isUpload(target.endpoint, method)) await request.body()
      done = instead ? reply : await this.#answer(request, target, reply)
    } catch (error) {
      if (error instanceof Refusal) done = reply.text(error.status, error.message, error.headers)
      else done = reply.error(error instanceof Error ? error.message : String(error))
    }
    await done.send()
    // A refusal before the body was read: the connection is closed with unread bytes, which resets it.
    if (!incoming.readableEnded && Number(incoming.headers['content-length'] ?? 0) > 0)
      setTimeout(() => socket.resetAndDestroy(), 5)
  }

  /** Reads a body; without Content-Length there is none, however many chunks are sent. Uploads shut everybody out meanwhile. */
  #body(incoming: IncomingMessage, seen: Seen): Promise<Buffer> {
    const reading = new Promise<Buffer>((resolve, reject) => {
      const parts: Buffer[] = []
      incoming.on('data', (part: Buffer) => parts.push(part))
      incoming.on('end', () => {
        const counted = incoming.headers['content-length'] !== undefined
        const bytes = counted ? Buffer.concat(parts) : Buffer.alloc(0)
        seen.bytes = bytes.length
        resolve(bytes)
      })
      incoming.on('close', () => reject(new Error('The client disconnected')))
    })
    this.#lock = Promise.allSettled([this.#lock, reading])
    return reading
  }

  async #answer(request: Request, target: ReturnType<typeof parseTarget>, reply: Reply): Promise<Reply> {
    const { endpoint, query } = target
    const one = (name: string): string | undefined => query.get(name)?.[0]
    if (endpoint === 'version') return reply.text(200, '3.9.7')
    if (endpoint === 'probe')
      return reply.text(200, this.databaseDown ? "Error: <class 'psycopg2.OperationalError'> down" : 'OK')
    if (this.databaseDown && request.method === 'GET') throw new Error('could not connect to server')
    switch (endpoint) {
      case 'folders':
        return reply.json(
          JSON.stringify([...this.folders.keys()].map((name) => name.replace(/^public\./, ''))),
        )
      case 'objects': {
        const folder = this.#folder(one('folder')) ?? missing('listObjects')
        return reply.json(JSON.stringify([...new Set(folder.versions.map(({ object }) => object))]))
      }
      case 'create_folder': {
        const name = one('folder') ?? ''
        if (name === '') throw new Refusal(400, 'Empty folder name')
        this.#authorize(request, name)
        if (!this.folders.has(fullName(name)) || one('drop') === 'yes')
          this.folders.set(fullName(name), new Folder(fullName(name)))
        return reply.text(200, 'OK')
      }
      case 'tags': {
        const folder = this.#folder(one('folder')) ?? missing('listTags')
        return reply.json(JSON.stringify(folder.versions.flatMap(({ tags }) => tags)))
      }
      case 'tag': {
        const folder = this.#folder(one('folder')) ?? missing('getObject')
        const version =
          one('version_id') === undefined
            ? folder.find(one('object') ?? '', one('key') ?? '')
            : folder.versions.find(({ id }) => id === Number(one('version_id')))
        if (!version) missing('addTag')
        else version.tags.push(one('tag') ?? '')
        return reply.text(200, 'OK')
      }
      case 'versions':
        return this.#versions(request, one, reply)
      case 'lookup_versions':
        return this.#lookup(request, one, reply)
      case 'data_for_versions':
        return reply.stream('application/octet-stream', [])
      case 'get_blob': {
        const folder = this.#folder(one('folder'))
        if (!folder) throw new Refusal(404, `Folder ${one('folder') ?? ''} not found`)
        if ((one('data_key') === undefined) === (one('version_id') === undefined))
          throw new Refusal(400, 'Either data_key or version_id must be specified')
        const version = folder.versions.find(({ id }) => id === Number(one('version_id')))
        const blob = folder.blob(one('data_key') ?? version?.data_key ?? '')
        if (!blob)
          throw new Refusal(404, one('data_key') === undefined ? 'Version not found' : 'Data not found')
        return reply.stream('application/octet-stream', [blob])
      }
      case 'data':
      case 'get':
      case 'put': {
        const write = endpoint === 'put' || (endpoint === 'data' && ['POST', 'PUT'].includes(request.method))
        return write ? this.#put(request, target, reply) : this.#get(target, reply)
      }
      default:
        return reply.page(404, `invalid path: /${endpoint}`)
    }
  }

  /** The checks stand in the server's order. */
  async #put(
    request: Request,
    { pieces, query }: ReturnType<typeof parseTarget>,
    reply: Reply,
  ): Promise<Reply> {
    const one = (name: string): string | undefined => query.get(name)?.[0]
    const [folderName = one('folder'), object = one('object')] = pieces
    if (this.#options.readOnly) throw new Refusal(405, 'Read-only instance')
    const folder = this.#folder(folderName)
    if (!folder) throw new Refusal(404, 'Folder not found')
    if (object === undefined) throw new Refusal(400, '')
    const body = await request.body()
    const { fault } = request
    if (fault?.kind === 'reset' && fault.when === 'after body') throw new Refusal(0, '')
    this.#authorize(request, folder.name)
    const tv = Number(one('tv') ?? 0)
    if (Number.isNaN(tv)) throw new Error(`could not convert string to float: '${one('tv') ?? ''}'`)
    const [key = null, second] = query.get('key') ?? []
    if (second !== undefined) throw new Error('Value for key specified twice')
    if (this.databaseDown) throw new Error('could not connect to server: Connection refused')
    const options = { tr: request.began, tv, tags: query.get('tag') ?? [] }
    if (fault?.kind === 'race' && key !== null) {
      folder.store(object, key, fault.with === 'same' ? body : Buffer.from(`another ${key}`), options)
      throw new Error(
        `duplicate key value violates unique constraint "${folder.name.split('.')[1] ?? ''}_object_key_inx"`,
      )
    }
    if (key !== null && folder.find(object, key) && one('override') !== 'yes')
      throw new Error(`Version of object ${object} with key ${key} already exists`)
    const version = keep(folder, object, key, body, options, fault)
    if (fault?.kind === 'reset' && fault.when === 'before reply') throw new Refusal(0, '')
    return one('full_meta') === 'yes'
      ? reply.json(folder.print(version))
      : reply.text(200, String(version.id))
  }

  #get({ pieces, query }: ReturnType<typeof parseTarget>, reply: Reply): Reply {
    const one = (name: string): string | undefined => query.get(name)?.[0]
    const [folderName = one('folder'), object = one('object')] = pieces
    if (object === undefined) throw new Refusal(400, '')
    const folder = this.#folder(folderName) ?? missing('getObject')
    if (!folder.has(object)) return missing('getVersion')
    const version = select(folder, object, one)
    if (!version) {
      if (one('id') === undefined) throw new Refusal(404, 'Version not found')
      if (one('meta_only') === 'yes') return reply.json('{}')
      throw new Error("'NoneType' object has no attribute 'Data'")
    }
    const meta = folder.print(version)
    if (one('meta_only') === 'yes') return reply.json(meta)
    return reply.stream('application/octet-stream', [folder.blob(version.data_key) ?? Buffer.alloc(0)], {
      'X-UConDB-product-version': '3.9.7',
      'X-UConDB-version-id': String(version.id),
      'X-UConDB-data-key': version.data_key,
      'X-UConDB-version-key': version.key === null || version.key === '' ? 'null' : version.key,
      'X-UConDB-data-size': String(version.data_size),
      'X-UConDB-adler32': String(version.adler32),
      'X-UConDB-metadata': meta,
      'X-UConDB-metadata-format': 'text/json',
    })
  }

  #versions({ began }: Request, one: (name: string) => string | undefined, reply: Reply): Reply {
    const [folder, object] = this.#listed(one)
    const time = (name: string): number | undefined => {
      const text = one(name)
      const value = Number(text)
      if (text !== undefined && Number.isNaN(value))
        throw new Error(`could not convert string to float: '${text}'`)
      return text === undefined ? undefined : value < 0 ? began + value : value
    }
    const [tv, tr, since] = [time('tv'), time('tr'), time('tr_since')]
    const filter = { ...(tv === undefined ? {} : { tv }), ...(tr === undefined ? {} : { tr }) }
    const versions = folder.list(object, began, { ...filter, ...(since === undefined ? {} : { since }) })
    return reply.stream('text/json; charset=UTF-8', arrayOf(folder, versions))
  }

  /** What is of the wrong type in the body gives 200 and nothing, because the server fails after its headers. */
  async #lookup(request: Request, one: (name: string) => string | undefined, reply: Reply): Promise<Reply> {
    const [folder, object] = this.#listed(one)
    if (request.method !== 'POST') throw new Error('Expecting value: line 1 column 1 (char 0)')
    const { keys } = JSON.parse((await request.body()).toString()) as { keys?: unknown }
    if (!Array.isArray(keys) || keys.length === 0) throw new Error("'NoneType' object is not iterable")
    const wanted: unknown[] = keys
    const found = wanted.every((key) => typeof key === 'string')
      ? [...new Set(wanted)].flatMap((key) => folder.find(object, key) ?? [])
      : []
    return reply.stream(
      'text/json-seq; charset=UTF-8',
      found.map((version) => `\x1e${folder.print(version)}\n`),
    )
  }

  #listed(one: (name: string) => string | undefined): [Folder, string] {
    const [name = '', object = ''] = [one('folder'), one('object')]
    const folder = this.#folder(name)
    if (!folder) throw new Refusal(404, `Folder ${name} not found`)
    if (!folder.has(object)) throw new Refusal(404, `Object ${object} not found`)
    return [folder, object]
  }

  #folder(name: string | undefined): Folder | undefined {
    if (name === undefined || !/^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)?$/.test(name))
      throw new Error('not all arguments converted during string formatting')
    return this.folders.get(fullName(name))
  }

  #authorize(request: Request, realm: string): void {
    if (this.#options.auth === 'none') return
    const users = new Map(Object.entries(this.#options.users ?? { writer: 'secret' }))
    const verdict = judge(request.headers.authorization, request.method, realm, users)
    if (verdict.type === 'broken') throw new Error(verdict.message)
    if (verdict.type === 'accepted') return
    const asked = verdict.type === 'none' ? { 'WWW-Authenticate': challenge(realm, request.began) } : {}
    throw new Refusal(401, 'Authorization required', asked)
  }
}

/** Faults that befall a request before any work is done on it. */
const INSTEAD = ['status', 'overrun', 'error', 'raw']
const numbers = new WeakMap<Socket, number>()
const fullName = (name: string): string => (name.includes('.') ? name : `public.${name}`)
const isUpload = (endpoint: string, method: string): boolean =>
  endpoint === 'put' || (endpoint === 'data' && ['POST', 'PUT'].includes(method))

const missing = (attribute: string): never => {
  throw new Error(`'NoneType' object has no attribute '${attribute}'`)
}

/** One selector counts, in this order. */
const select = (
  folder: Folder,
  object: string,
  one: (name: string) => string | undefined,
): Version | undefined => {
  const [id, key, tag] = [one('id'), one('key'), one('tag')]
  if (id !== undefined)
    return folder.versions.find((version) => version.object === object && version.id === Number(id))
  if (key !== undefined) return folder.find(object, key)
  return folder.versions
    .filter((version) => version.object === object && (tag === undefined || version.tags.includes(tag)))
    .sort((a, b) => b.tr - a.tr)[0]
}

function* arrayOf(folder: Folder, versions: Iterable<Version>): Generator<string> {
  let before = '['
  for (const version of versions) {
    yield `${before}${folder.print(version)}`
    before = ', '
  }
  yield before === '[' ? '[]' : ']'
}

/** Stores, or does with the bytes what a lying server does, and answers for what it was given. */
const keep = (
  folder: Folder,
  object: string,
  key: string | null,
  body: Buffer,
  options: { tr: number; tv: number; tags: string[] },
  fault: Fault | undefined,
): Version => {
  if (fault?.kind !== 'lie') return folder.store(object, key, body, options)
  const honest = new Folder(folder.name).store(object, key, body, options)
  const bytes = {
    nothing: undefined,
    empty: Buffer.alloc(0),
    half: body.subarray(0, body.length >> 1),
    other: Buffer.from(body.map((byte) => byte ^ 1)),
  }[fault.stores]
  if (bytes) folder.store(object, key, bytes, options)
  return honest
}

/** `tsx test/fakes/ucon-server.ts [--port N] [--auth none] ...`: prints its URL, and serves until it is ended. */
const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      prefix: { type: 'string', default: '/instance/app' },
      folder: { type: 'string', multiple: true, default: ['test01'] },
      user: { type: 'string', default: 'writer' },
      password: { type: 'string', default: 'secret' },
      auth: { type: 'string', default: 'digest' },
      'read-only': { type: 'boolean', default: false },
      'keep-alive': { type: 'boolean', default: false },
      /** Milliseconds more for each request. */
      latency: { type: 'string', default: '0' },
      /** Versions that are made up when they are listed. */
      synthetic: { type: 'string', default: '0' },
      /** A fault as JSON, see ucon-server-faults.ts. */
      fault: { type: 'string', multiple: true, default: [] },
    },
  })
  const server = await UconServer.start({
    port: Number(values.port),
    prefix: values.prefix,
    folders: values.folder.map(fullName),
    users: { [values.user]: values.password },
    auth: values.auth === 'none' ? 'none' : 'digest',
    readOnly: values['read-only'],
    keepAlive: values['keep-alive'],
    latency: Number(values.latency),
    synthetic: Number(values.synthetic),
    faults: values.fault.map((text) => JSON.parse(text) as Fault),
  })
  process.stdout.write(`${server.url}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
