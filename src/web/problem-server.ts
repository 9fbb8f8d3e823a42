import { createServer, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener, RequestError } from '@hono/node-server'

const TYPE = 'application/problem+json'
/** Why a request cannot be read, by the code of its error. */
const REASONS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the address and the headers are longer than 16 kB'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of a chunk are longer than 16 kB'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come to its end in time'],
}
const NO_HTTP = [400, 'this is no HTTP request'] as const

/** An HTTP server that answers with a problem where Node alone answers with a number and nothing else. */
export const problemServer = (
  fetch: (request: Request, env: object) => Response | Promise<Response>,
  hostname: string,
): Server => {
  const listener = getRequestListener((request, env) => fetch(request, env), {
    hostname,
    errorHandler: unreadableReply,
  })
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    const isHostless = request.headers.host === undefined && request.httpVersion !== '1.0'
    if (isHostless) refuse(response, 400, 'a request must name its host')
    else void listener(request, response)
  })
  server.on('checkExpectation', (_request, response: ServerResponse) =>
    refuse(response, 417, 'the only expectation that is met is 100-continue'),
  )
  return server.on('clientError', answerUnreadable)
}

const problemText = (status: number, title: string): string =>
  JSON.stringify({ type: 'about:blank', title, status, code: 'USAGE' })

const refuse = (response: ServerResponse, status: number, title: string): void => {
  response.writeHead(status, { 'content-type': TYPE, connection: 'close' }).end(problemText(status, title))
}

/** The answer where the address or the host cannot be read. Any other error is a bug, and answered with 500. */
const unreadableReply = (error: unknown): Response => {
  const [status, title] =
    error instanceof RequestError ? ([400, error.message] as const) : ([500, 'a bug'] as const)
  return new Response(problemText(status, title), { status, headers: { 'content-type': TYPE } })
}

/** To a request of which there is nothing but its connection. */
const answerUnreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  // Nothing may follow the half of an answer that another request of the connection gets.
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) {
    socket.destroy(error)
    return
  }
  const [status, title] = REASONS[error.code ?? ''] ?? NO_HTTP
  const body = problemText(status, title)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Whether an answer has begun on the connection: Node keeps it there. */
const isAnswering = (socket: Duplex): boolean => {
  const { _httpMessage: answer } = socket as { _httpMessage?: { readonly headersSent?: boolean } | null }
  return answer?.headersSent === true
}
