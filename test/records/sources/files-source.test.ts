import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, it } from 'vitest'
import { planCommand } from '../../../src/commands/records/plan.ts'
import { FilesSource } from '../../../src/records/sources/files-source.ts'
import { printing } from '../databases.ts'
import { temporaryFolder } from '../temporary-folder.ts'

let folder: string
beforeEach(() => {
  folder = temporaryFolder('files')
})
const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content)
const textOf = async (source: FilesSource, key: string): Promise<string | undefined> => {
  const bytes = await source.read(key)
  return bytes && Buffer.from(bytes).toString()
}
const keysOf = async (source: FilesSource, from?: string): Promise<string[]> => {
  const keys: string[] = []
  for await (const batch of source.keys({ batchSize: 2, from, to: undefined })) keys.push(...batch)
  return keys
}

describe('a folder of payloads', () => {
  it('gives a key whatever the ending of its file, before its keys were asked for', async () => {
    put('1.xml', 'one')
    put('2.json', 'two')
    put('003.XML.gz', 'three')
    const source = new FilesSource(folder, 'bigint')
    expect(await Promise.all(['1', '2', '3', '4'].map((key) => textOf(source, key)))).toEqual([
      'one',
      'two',
      'three',
      undefined,
    ])
  })
  it('gives a file that came, or got another ending, after its keys were asked for', async () => {
    put('1.xml', 'one')
    const source = new FilesSource(folder, 'bigint')
    expect(await keysOf(source)).toEqual(['1'])
    put('2.json', 'two')
    renameSync(join(folder, '1.xml'), join(folder, '1.xml.gz'))
    expect(await textOf(source, '2')).toBe('two')
    expect(await textOf(source, '1')).toBe('one')
    rmSync(join(folder, '1.xml.gz'))
    expect(await textOf(source, '1')).toBe(undefined)
  })
  it('gives its keys again', async () => {
    put('10.xml', '')
    put('9.json', '')
    const source = new FilesSource(folder, 'bigint')
    expect(await keysOf(source)).toEqual(['9', '10'])
    expect(await keysOf(source, '10')).toEqual(['10'])
  })
  it('gives names that are no numbers after all that are', async () => {
    for (const name of ['1x', '10', '2', 'a', '-3']) put(`${name}.xml`, '')
    expect(await keysOf(new FilesSource(folder, 'bigint'))).toEqual(['-3', '2', '10', '1x', 'a'])
  })
  it('refuses two files of one key', async () => {
    put('7.xml', '')
    put('07.json', '')
    await expect(new FilesSource(folder, 'bigint').read('7')).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringContaining('are files of one key') as string,
    })
  })
})

describe('records plan of a key in a folder', () => {
  const payload = '{"r":{"id":7,"v":"x"}}'
  it.each<[string, string | Uint8Array]>([
    ['7.json', payload],
    ['7.json.gz', gzipSync(payload)],
  ])('reads %s', async (name, content) => {
    put(name, content)
    const site = temporaryFolder('site')
    const write = (file: string, text: string): void => writeFileSync(join(site, file), text)
    write(
      'map.yaml',
      `version: 1
source: { format: json }
record: { root: r, key: /r/@id, key_type: bigint }
tables: [{ table: t, key: [id], columns: { id: { from: $key, type: bigint }, v: { from: /r/@v, type: text } } }]
`,
    )
    write(
      'config.yaml',
      `app: { work_dir: ${site} }\nrecords: { tasks: { t: map.yaml }, source_files: ${folder}, target_url: "sqlite:t.db" }\n`,
    )
    const { context, printed } = printing()
    const options = { item: '7', task: 't', config: join(site, 'config.yaml'), json: true, showValues: true }
    expect(await planCommand(options, context)).toBe(0)
    expect(JSON.parse(printed())).toMatchObject({ status: 'success', rows: { t: [{ id: 7, v: 'x' }] } })
  })
})
