import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli.ts'
import { contextOf } from '../context.ts'

const said = async (...argv: string[]): Promise<{ code: number; err: string; out: string }> => {
  let err = ''
  let out = ''
  const code = await runCli(
    argv,
    contextOf({ err: (text) => void (err += text), out: (text) => void (out += text) }),
  )
  return { code, err, out }
}

describe('a first word that is neither a command nor a file', () => {
  it.each([
    ['histroy', 'history'],
    ['verfiy', 'verify'],
    ['deamon', 'daemon'],
  ])('%s is a usage error that suggests %s', async (word, meant) => {
    const { code, err } = await said(word)
    expect(code).toBe(64)
    expect(err).toContain(`Did you mean ${meant}?`)
  })
  it('is a usage error where nothing is near', async () => {
    const { code, err } = await said('xyzzy', '--incremental')
    expect(code).toBe(64)
    expect(err).toContain("no command and no configuration file named 'xyzzy'")
  })
})

describe('help', () => {
  it.each(['help', '/?', '--help'])('is what %s asks for', async (word) => {
    const { code, out } = await said(word)
    expect(code).toBe(0)
    expect(out).toContain('Usage: run-archiver')
  })
})
