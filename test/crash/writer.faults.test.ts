import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { compile } from '../state/compile.ts'
import { temporaryFolder } from '../state/temporary-folder.ts'
import { randomFrom, seed } from './random.ts'

const folder = temporaryFolder()
const KILLS = Number(process.env['ARCHIVER_KILLS'] ?? 100)

/** Kills a writer at random moments; how often the file then was no state, or an older one than was said to be durable. */
const killWriters = async (how: 'replaced' | 'in place', random: () => number) => {
  const program = await compile('test/crash/writer.ts', folder.path)
  const path = folder.in('state.json')
  const found = { corrupt: 0, older: 0 }
  for (let kill = 0; kill < KILLS; kill++) {
    rmSync(path, { force: true })
    const child = spawn(process.execPath, [program, path, how], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (text: Buffer) => (said += text.toString()))
    await once(child.stdout, 'data') // it has begun; loading the program is not what is tested
    await setTimeout(random() * 60)
    child.kill('SIGKILL')
    await once(child, 'close')
    const durable = Number(said.trimEnd().split('\n').at(-1))
    try {
      const { count } = JSON.parse(readFileSync(path, 'utf8')) as { count: number }
      if (count < durable) found.older++
    } catch {
      found.corrupt++
    }
  }
  return found
}

describe('a file that is written over and over by a process that is killed', () => {
  it(`is whole and never older than was said, ${KILLS} times`, { timeout: 3_600_000 }, async () => {
    const start = seed()
    expect(await killWriters('replaced', randomFrom(start)), `SEED=${start}`).toEqual({
      corrupt: 0,
      older: 0,
    })
    const left = (await readdir(folder.path)).filter((name) => name.startsWith('state.json.'))
    console.log(`${KILLS} kills of a writer, ${left.length} temporaries left to sweep, SEED=${start}`)
  })

  it(
    'is found damaged when it is written in place: the loop would see it',
    { timeout: 3_600_000 },
    async () => {
      const { corrupt } = await killWriters('in place', randomFrom(1))
      console.log(`${KILLS} kills of a writer in place: ${corrupt} damaged files`)
      expect(corrupt).toBeGreaterThan(0)
    },
  )
})
