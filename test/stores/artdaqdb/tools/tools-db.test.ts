import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ArchiverError } from '../../../../src/errors.ts'
import type { RunDocument } from '../../../../src/stores/run-record.ts'
import { quoted } from '../../../../src/stores/artdaqdb/tools/host.ts'
import { runTool } from '../../../../src/stores/artdaqdb/tools/process.ts'
import { ToolsDb } from '../../../../src/stores/artdaqdb/tools/tools-db.ts'
import { never, sampleRun } from '../runs.ts'
import { standInTools, type StandIns } from './stand-in-tools.ts'

let folder: string
let tools: StandIns
const start = (remote = false): void => {
  folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  tools = standInTools(folder, { remote })
}
beforeEach(() => start())
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const run = { ...sampleRun(12), manifest: undefined }
const lists = async () => {
  const { runs, incomplete } = await tools.open().list()
  return [runs.toString(), incomplete.toString()]
}

describe('a bulkloader that loses documents and exits 0', () => {
  it('is found out by what artdaqDB gives back; the run is incomplete, and the next put completes it', async () => {
    tools.fail('bulkloader', 'loses-a-document')
    await expect(tools.open().put(run, never)).rejects.toMatchObject({
      code: 'VERIFY_MISMATCH',
      message: expect.stringContaining('RunHistory/') as string,
    })
    expect(await lists()).toEqual(['', '12'])
    tools.fail('bulkloader', undefined)
    expect(await tools.open().put(run, never)).toBe('stored')
    expect(await lists()).toEqual(['12', ''])
    // What was there is not loaded a second time: which of two counts would be chance.
    expect(readdirSync(join(folder, 'db', '12', 'standard00001'))).toHaveLength(run.documents.length)
  })
})

describe('a run that lost documents', () => {
  const stored = join('12', 'standard00001')
  const lose = (): string => {
    const [lost = ''] = readdirSync(join(folder, 'db', stored)).filter((name) => !name.includes('schema'))
    rmSync(join(folder, 'db', stored, lost))
    return lost
  }

  it('is completed with what the archive has of them', async () => {
    await tools.open().put(run, never)
    lose()
    let asked: readonly RunDocument[] = []
    const archived = async (lacking: readonly RunDocument[]): Promise<readonly RunDocument[]> => {
      asked = lacking
      return Promise.resolve(
        lacking.map((one) => ({ ...one, fhicl: 'as: "archived"\n', printed: undefined })),
      )
    }
    expect(await tools.open().put(run, never, archived)).toBe('stored')
    expect(asked).toHaveLength(1)
    const { documents } = await tools.open().read(12, never)
    const completed = documents.find(({ entity }) => entity === asked[0]?.entity)
    expect(completed?.canonical()).toContain('as: "archived"')
  })

  it('is left as it is where the archive has something else than its record gives', async () => {
    await tools.open().put(run, never)
    lose()
    const before = readdirSync(join(folder, 'db', stored))
    const conflict = new ArchiverError('CONFLICT', 'run 12 lacks boot', { run: 12 })
    await expect(tools.open().put(run, never, () => Promise.reject(conflict))).rejects.toBe(conflict)
    expect(readdirSync(join(folder, 'db', stored))).toEqual(before)
  })

  it('is not asked about when it is new', async () => {
    expect(await tools.open().put(run, never, () => Promise.reject(new Error('asked')))).toBe('stored')
  })
})

describe('a bulkloader that is given a run', () => {
  it('is given one thread, the URI in its environment alone, and the schema last and alone', async () => {
    await tools.open().put(run, never)
    const loads = tools.calls().filter(({ tool }) => tool === 'bulkloader')
    expect(loads).toHaveLength(2)
    for (const { words, uri } of loads) {
      expect(words.slice(0, 4)).toEqual(['-r', '12', '-c', 'standard00001'])
      expect(words.slice(-2)).toEqual(['-t', '1'])
      expect(uri).toBe(`filesystemdb://${join(folder, 'db')}`)
    }
  })

  it('is refused what it would file under another name', async () => {
    const misfiled = { ...sampleRun(12, { myschema: 'a: 1\n' }), manifest: undefined }
    await expect(tools.open().put(misfiled, never)).rejects.toMatchObject({ code: 'RECORD_INVALID', run: 12 })
    expect(tools.calls()).toEqual([])
  })

  it('fails a run that it fails itself, with what it said', async () => {
    tools.fail('bulkloader', 'fails')
    await expect(tools.open().put(run, never)).rejects.toMatchObject({ code: 'STORE_REFUSED' })
  })

  it('is told as a shell would when a signal ended it, as SIGFPE does where no file was loaded', async () => {
    const words = ['-r', '1', '-c', 'x', '-p', join(folder, 'empty'), '-t', '1']
    mkdirSync(join(folder, 'empty'))
    const env = { PATH: process.env['PATH'] ?? '', ARTDAQ_DATABASE_URI: `filesystemdb://${folder}/db` }
    const result = await runTool({
      program: join(folder, 'bin', 'bulkloader'),
      arguments: words,
      env,
      timeoutSeconds: 20,
    })
    expect(result.code).toBe(136)
  })
})

describe('a bulkloader that takes no run at all', () => {
  const runs = [1, 2, 3, 4].map((number) => ({ ...sampleRun(number), manifest: undefined }))
  const replaced = (script: string): void =>
    writeFileSync(join(folder, 'bin', 'bulkloader'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const outcomes = async (): Promise<readonly string[]> => {
    const [store, codes] = [tools.open(), []] as [ReturnType<StandIns['open']>, string[]]
    for (const one of runs.slice(0, 3))
      codes.push(await store.put(one, never).catch((error: unknown) => (error as { code: string }).code))
    return codes
  }

  it.each([
    ['cannot be started', 'echo "error while loading shared libraries: libcanvas.so" >&2; exit 127'],
    ['takes none of our words', 'exit 129'],
    ['was killed from outside', 'kill -9 $$'],
    ['has no room', 'echo "write: No space left on device" >&2; exit 1'],
  ])('as it %s: no run is blamed', async (_, script) => {
    replaced(script)
    expect(await outcomes()).toEqual(['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'])
  })

  it.each([
    ['fails', 'exit 1', 'STORE_REFUSED'],
    ['crashes', 'kill -SEGV $$', 'STORE_REFUSED'],
    ['says that it did and stores nothing', 'exit 0', 'VERIFY_MISMATCH'],
  ])('as it %s: one run is blamed at most', async (_, script, code) => {
    mkdirSync(join(folder, 'db'))
    replaced(script)
    expect(await outcomes()).toEqual([code, 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'])
  })

  it('but for a bad run between good ones, which blocks none of them', async () => {
    const store = tools.open()
    const put = async (position: number): Promise<string> =>
      store.put(runs[position]!, never).catch((error: unknown) => (error as { code: string }).code)
    expect(await put(0)).toBe('stored')
    tools.fail('bulkloader', 'fails')
    expect(await put(1)).toBe('STORE_REFUSED')
    tools.fail('bulkloader', undefined)
    expect(await put(2)).toBe('stored')
    tools.fail('bulkloader', 'fails')
    expect(await put(3)).toBe('STORE_REFUSED')
  })
})

describe('a bulkdownloader that cannot write every file and exits 0', () => {
  it('is found out by its complaint: the run cannot be read', async () => {
    await tools.open().put(run, never)
    tools.fail('bulkdownloader', 'exports-in-part')
    await expect(tools.open().read(12, never)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('cannot write') as string,
    })
  })
})

describe('a conftool.py that answers None and exits 0', () => {
  it('is a store that does not answer, never an empty one', async () => {
    await tools.open().put(run, never)
    tools.fail('conftool.py', 'lists-errors')
    await expect(tools.open().list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(tools.open().probe(never)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('a tool that hangs, or never stops talking', () => {
  it('is killed, and the store counts as unavailable', async () => {
    tools.fail('bulkloader', 'hangs')
    await expect(tools.open({ timeoutSeconds: 2 }).put(run, never)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('longer than 2 s') as string,
    })
    tools.fail('bulkloader', 'shouts')
    await expect(tools.open().put(run, never)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('64 MB') as string,
    })
  })

  it('is killed when the archiver is told to stop', async () => {
    tools.fail('bulkloader', 'hangs')
    const stop = new AbortController()
    const put = tools.open().put(run, stop.signal)
    setTimeout(() => stop.abort(), 1000)
    await expect(put).rejects.toThrow()
  })

  it('is not found where it is not', async () => {
    rmSync(join(folder, 'bin', 'conftool.py'))
    mkdirSync(join(folder, 'db'))
    await expect(tools.open().list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('a database that is not there', () => {
  it('is empty, and is not made by asking for it, as a query of the tools would', async () => {
    expect(await lists()).toEqual(['', ''])
    expect(existsSync(join(folder, 'db'))).toBe(false)
  })
})

describe('several puts at once', () => {
  it('start one tool at a time', async () => {
    const store = tools.open()
    const runs = [1, 2, 3].map((number) => ({ ...sampleRun(number), manifest: undefined }))
    await Promise.all(runs.map((one) => store.put(one, never)))
    expect(await lists()).toEqual(['1-3', ''])
    const order = tools.calls().flatMap(({ tool, words }) => (tool === 'bulkloader' ? [words[1]] : []))
    expect(order).toEqual(['1', '1', '2', '2', '3', '3'])
  })
})

describe('tools on another host', () => {
  beforeEach(() => {
    rmSync(folder, { recursive: true })
    start(true)
  })

  it('are called with host keys checked, and neither the URI nor its password stands in any argument', async () => {
    const uri = 'mongodb://writer:canary-password@db.example:27017/x_archive'
    await tools.open({ uri }).put(run, never)
    const calls = tools.calls()
    expect(JSON.stringify(calls.map(({ words }) => words))).not.toContain('canary-password')
    for (const { tool, words } of calls)
      if (tool === 'ssh' || tool === 'scp') {
        expect(words).toContain('StrictHostKeyChecking=yes')
        expect(words).toContain('BatchMode=yes')
        expect(words.join(' ')).not.toContain('UserKnownHostsFile')
      }
    expect(calls.find(({ tool }) => tool === 'bulkloader')?.uri).toBe(uri)
  })

  it('have their own exit code: a failure over there is a failure here', async () => {
    tools.fail('bulkloader', 'fails')
    await expect(tools.open().put(run, never)).rejects.toMatchObject({ code: 'STORE_REFUSED' })
    expect(await lists()).toEqual(['', '12'])
  })

  it('leave no folder behind over there', async () => {
    const before = new Set(readdirSync('/tmp').filter((name) => name.startsWith('run-archiver-')))
    await tools.open().put(run, never)
    const mine = tools
      .calls()
      .flatMap(({ words }) => words.join(' ').match(/run-archiver-[A-Za-z0-9]{10}/g) ?? [])
    expect(mine.length).toBeGreaterThan(0)
    const after = readdirSync('/tmp').filter((name) => name.startsWith('run-archiver-') && !before.has(name))
    expect(after.filter((name) => mine.includes(name))).toEqual([])
  })

  it('are unavailable when ssh cannot reach them', async () => {
    tools.fail('ssh', 'fails')
    await expect(tools.open().list()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('Host key verification failed') as string,
    })
  })

  it.each(['-oProxyCommand=x', 'a b', 'host;id', ''])(
    'cannot be on a host that ssh would not take for one: %j',
    (host) => {
      const open = () => new ToolsDb({ uri: 'mongodb://x', remoteHost: host, env: {} })
      expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error)
    },
  )
})

describe('words for a remote shell', () => {
  it('arrive as they are, whatever they hold', async () => {
    const words = ['plain', "it's", '$(touch MARKER)', '; ls', 'a b', '`id`', '"', '\\', '*', '']
    writeFileSync(join(folder, 'echo.cjs'), 'process.stdout.write(JSON.stringify(process.argv.slice(2)))')
    const command = quoted([process.execPath, join(folder, 'echo.cjs'), ...words])
    const call = { program: '/bin/sh', arguments: ['-c', command], env: {}, timeoutSeconds: 20 }
    expect(JSON.parse((await runTool(call)).stdout)).toEqual(words)
  })
})
