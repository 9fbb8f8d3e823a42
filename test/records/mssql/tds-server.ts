import { createRequire } from 'node:module'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** What a client asks for. `sql` is the text of a statement; values of its parameters as texts. */
export interface Asked {
  readonly type: 'sql' | 'begin' | 'commit' | 'rollback'
  readonly sql: string
  readonly values: readonly (string | null)[]
  readonly connection: number
}

/** `cut` breaks the connection instead of an answer. */
export type Answer =
  | { readonly rows?: readonly Readonly<Record<string, string | null>>[]; readonly changed?: number }
  | { readonly error: number; readonly message?: string }
  | 'cut'

interface Message extends AsyncIterable<Buffer> {
  readonly type: number
}
interface MessageIo {
  readMessage(): Promise<Message>
  sendMessage(type: number, data: Buffer): void
}
const require = createRequire(import.meta.url)
const MessageIO = require('tedious/lib/message-io.js') as new (
  socket: Socket,
  size: number,
  debug: object,
) => MessageIo
const PreloginPayload = require('tedious/lib/prelogin-payload.js') as new (options: object) => {
  readonly data: Buffer
}

const [BATCH, RPC, RESULT, MANAGER, LOGIN, PRELOGIN] = [0x01, 0x03, 0x04, 0x0e, 0x10, 0x12]
const QUIET = {
  log: () => undefined,
  packet: () => undefined,
  data: () => undefined,
  payload: () => undefined,
  token: () => undefined,
}
const MANAGED: Readonly<Record<number, Asked['type']>> = { 5: 'begin', 7: 'commit', 8: 'rollback' }

/** A peer that speaks TDS 7.4 without encryption, on the driver's own framing, and answers as the test says. It knows no SQL. */
export class TdsServer {
  readonly asked: Asked[] = []
  readonly #server = createServer((socket) => void this.#serve(socket))
  readonly #sockets = new Set<Socket>()
  readonly #answer: (asked: Asked) => Answer
  #connections = 0

  constructor(answer: (asked: Asked) => Answer) {
    this.#answer = answer
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `mssql://sa:secret@127.0.0.1:${(this.#server.address() as AddressInfo).port}/records?encrypt=false`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(socket: Socket): Promise<void> {
    const connection = ++this.#connections
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    const io = new MessageIO(socket, 4096, QUIET)
    try {
      for (;;) {
        const message = await io.readMessage()
        const chunks: Buffer[] = []
        for await (const chunk of message) chunks.push(chunk)
        const reply = this.#reply(message.type, Buffer.concat(chunks), connection)
        if (reply === 'cut') {
          socket.destroy()
          return
        }
        io.sendMessage(RESULT, reply)
      }
    } catch {
      // The client has gone.
    }
  }

  #reply(type: number, data: Buffer, connection: number): Buffer | 'cut' {
    if (type === PRELOGIN)
      return new PreloginPayload({
        encrypt: false,
        version: { major: 15, minor: 0, build: 2000, subbuild: 0 },
      }).data
    if (type === LOGIN) return Buffer.concat([loginAck(), done(0xfd, 0)])
    // The settings of a session.
    if (type === BATCH) return done(0xfd, 0)
    const body = data.subarray(data.readUInt32LE(0))
    const asked: Asked =
      type === MANAGER
        ? { type: MANAGED[body.readUInt16LE(0)] ?? 'sql', sql: '', values: [], connection }
        : { type: 'sql', ...statementOf(body), connection }
    if (type !== RPC && type !== MANAGER) throw new Error(`a packet of type ${type}`)
    this.asked.push(asked)
    const answer = this.#answer(asked)
    if (answer === 'cut') return answer
    if ('error' in answer)
      return Buffer.concat([errorToken(answer.error, answer.message ?? 'refused'), done(0xfe, 0, true)])
    if (type === MANAGER) return Buffer.concat([transactionChange(asked.type), done(0xfd, 0)])
    return Buffer.concat([
      rowsOf(answer.rows ?? []),
      done(0xff, answer.rows?.length ?? answer.changed ?? 0),
      done(0xfe, 0),
    ])
  }
}

const word = (value: number): Buffer => {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16LE(value)
  return buffer
}
const short = (text: string): Buffer =>
  Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'utf16le')])

const done = (token: number, count: number, isError = false): Buffer => {
  const buffer = Buffer.alloc(13)
  buffer.writeUInt8(token, 0)
  buffer.writeUInt16LE((isError ? 0x02 : 0x10) | (token === 0xff ? 0x01 : 0), 1)
  buffer.writeBigUInt64LE(BigInt(count), 5)
  return buffer
}

const loginAck = (): Buffer => {
  const body = Buffer.concat([
    Buffer.from([1, 0x74, 0, 0, 4]),
    short('a peer of tests'),
    Buffer.from([15, 0, 7, 208]),
  ])
  return Buffer.concat([Buffer.from([0xad]), word(body.length), body])
}

const errorToken = (number: number, message: string): Buffer => {
  const head = Buffer.alloc(6)
  head.writeInt32LE(number, 0)
  head.writeUInt8(1, 4)
  head.writeUInt8(14, 5)
  const body = Buffer.concat([
    head,
    word(message.length),
    Buffer.from(message, 'utf16le'),
    short('peer'),
    short(''),
    Buffer.alloc(4),
  ])
  return Buffer.concat([Buffer.from([0xaa]), word(body.length), body])
}

const TRANSACTION = Buffer.from([8, 1, 2, 3, 4, 5, 6, 7, 8])
const transactionChange = (type: Asked['type']): Buffer => {
  const [code, fresh, old] =
    type === 'begin'
      ? [8, TRANSACTION, Buffer.from([0])]
      : [type === 'commit' ? 9 : 10, Buffer.from([0]), TRANSACTION]
  const body = Buffer.concat([Buffer.from([code]), fresh, old])
  return Buffer.concat([Buffer.from([0xe3]), word(body.length), body])
}

const COLLATION = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34])

const rowsOf = (rows: readonly Readonly<Record<string, string | null>>[]): Buffer => {
  const names = Object.keys(rows[0] ?? {})
  if (names.length === 0) return Buffer.alloc(0)
  const columns = names.map((name) =>
    Buffer.concat([Buffer.alloc(4), word(0x09), Buffer.from([0xe7]), word(8000), COLLATION, short(name)]),
  )
  const cells = rows.map((row) => [
    Buffer.from([0xd1]),
    ...names.map((name) => {
      const value = row[name]
      if (value === null || value === undefined) return word(0xffff)
      const bytes = Buffer.from(value, 'utf16le')
      return Buffer.concat([word(bytes.length), bytes])
    }),
  ])
  return Buffer.concat([Buffer.from([0x81]), word(names.length), ...columns, ...cells.flat()])
}

/** The statement of an `sp_executesql`, and the values behind it and behind its list of parameters. */
const statementOf = (body: Buffer): { readonly sql: string; readonly values: readonly (string | null)[] } => {
  let at = body.readUInt16LE(0) === 0xffff ? 6 : 2 + body.readUInt16LE(0) * 2 + 2
  const found: (string | null)[] = []
  while (at < body.length) {
    at += 1 + body.readUInt8(at) * 2 + 1
    const type = body.readUInt8(at)
    const most = body.readUInt16LE(at + 1)
    at += type === 0xe7 ? 8 : 3
    const [bytes, next] = most === 0xffff ? longValue(body, at) : shortValue(body, at)
    found.push(bytes === null ? null : bytes.toString(type === 0xe7 ? 'utf16le' : 'hex'))
    at = next
  }
  const [sql, , ...values] = found
  return { sql: sql ?? '', values }
}

const shortValue = (body: Buffer, at: number): readonly [Buffer | null, number] => {
  const length = body.readUInt16LE(at)
  return length === 0xffff ? [null, at + 2] : [body.subarray(at + 2, at + 2 + length), at + 2 + length]
}

const longValue = (body: Buffer, start: number): readonly [Buffer | null, number] => {
  if (body.readBigUInt64LE(start) === 0xffff_ffff_ffff_ffffn) return [null, start + 8]
  const chunks: Buffer[] = []
  let at = start + 8
  for (let length = body.readUInt32LE(at); length > 0; length = body.readUInt32LE(at)) {
    chunks.push(body.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return [Buffer.concat(chunks), at + 4]
}
