import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal } from '../../../src/tracking/client/journal.ts'

const ID = '6f1c2d04-0000-4000-8000-000000000001'
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a line that another process has not written whole yet', () => {
  it('is read as it was meant, wherever it was cut', () => {
    const line = Buffer.from(`${JSON.stringify({ at: 2, op: 'message', message: '✓ é 😀' })}\n`)
    for (let cut = 1; cut < line.length; cut++) {
      rmSync(join(folder, 'tracking'), { recursive: true, force: true })
      const journal = new Journal(folder, ID)
      journal.append([{ op: 'init', task_name: 'a' }], 1)
      const path = join(folder, 'tracking', `${ID}.jsonl`)
      appendFileSync(path, line.subarray(0, cut))
      journal.read()
      appendFileSync(path, line.subarray(cut))
      journal.read()
      expect(journal.execution?.overallMessage, `cut at ${cut}`).toBe('✓ é 😀')
    }
  })
})
