import { execFile } from 'node:child_process'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { fetchAnswer } from '../../src/platform/http-answer.ts'

let server: Server | undefined
let trickle: NodeJS.Timeout | undefined
afterEach(() => {
  clearInterval(trickle)
  server?.closeAllConnections()
  server?.close()
})

const answering = async (answer: (response: ServerResponse) => void): Promise<string> => {
  server = createServer((request, response) => {
    request.resume().on('end', () => answer(response))
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const PROGRAM = `
import { fetchAnswer } from ${JSON.stringify(resolve('src/platform/http-answer.ts'))}
const collecting = setInterval(gc, 50)
const stuck = setTimeout(() => { console.log('it waits on'); process.exit() }, 4000)
const end = (words) => { console.log(words); clearInterval(collecting); clearTimeout(stuck) }
fetchAnswer(process.argv[1], { method: 'POST', body: '{}', signal: AbortSignal.timeout(600) }).then(() => end('answered'), (error) => end(error.name))
`

/** What becomes of a request that may take 600 ms, in a process that collects its garbage meanwhile, and must end by itself. */
const request = (url: string): Promise<string> => {
  const words = ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', PROGRAM, url]
  return new Promise((done) =>
    execFile(process.execPath, words, { timeout: 8000 }, (error, stdout, stderr) =>
      done(error ? `${error.message} ${stderr}` : stdout.trim()),
    ),
  )
}

describe('an answer', () => {
  it('is there with its status, headers and whole body', async () => {
    const url = await answering((response) => {
      const bytes = Buffer.from('é there')
      response.writeHead(404, { 'x-why': 'gone' }).write(bytes.subarray(0, 1))
      setTimeout(() => response.end(bytes.subarray(1)), 50)
    })
    const { status, ok, headers, text } = await fetchAnswer(url, { signal: AbortSignal.timeout(5000) })
    expect({ status, ok, why: headers.get('x-why'), text }).toEqual({
      ...{ status: 404, ok: false, why: 'gone', text: 'é there' },
    })
  })

  it('without a body is empty', async () => {
    const url = await answering((response) => response.writeHead(204).end())
    expect(await fetchAnswer(url, { signal: AbortSignal.timeout(5000) })).toMatchObject({
      ok: true,
      text: '',
    })
  })
})

describe('an answer that never ends', () => {
  const HALF = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-length': '1000' }).write('{"half":')
  }
  it.each([
    { how: 'that stops after half of its body', answer: HALF },
    {
      how: 'that brings a byte now and then',
      answer: (response: ServerResponse) => {
        HALF(response)
        trickle = setInterval(() => response.write('x'), 100)
      },
    },
    { how: 'that never begins', answer: () => undefined },
  ])('$how is given up in time, and its connection is closed', async ({ answer }) => {
    let isClosed = false
    const url = await answering((response) => {
      response.on('close', () => (isClosed = true))
      answer(response)
    })
    expect(await request(url)).toBe('TimeoutError')
    await expect.poll(() => isClosed).toBe(true)
  })

  it('and fills the memory is given up once it has more than any service says', async () => {
    let isClosed = false
    const url = await answering((response) => {
      response.writeHead(200).on('close', () => (isClosed = true))
      const more = (): void => {
        while (!isClosed && response.write(Buffer.alloc(1 << 16, 'x')));
      }
      response.on('drain', more)
      more()
    })
    const answer = fetchAnswer(url, { signal: AbortSignal.timeout(20_000) })
    await expect(answer).rejects.toThrow('an answer of more than 8 MB')
    await expect.poll(() => isClosed).toBe(true)
  })
})
