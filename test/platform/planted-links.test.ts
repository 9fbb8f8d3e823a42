import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identity } from '../../src/platform/host.ts'
import { InHand } from '../../src/records/run/in-hand.ts'
import { conflictLog } from '../../src/rows/conflict-log.ts'
import { TextLog } from '../../src/rows/text-log.ts'
import { Journal } from '../../src/tracking/client/journal.ts'

const AT = Date.UTC(2026, 1, 3, 12)
const UUID = '01890a5d-ac96-774b-bcce-b302099a8057'

describe('a link that somebody planted in work_dir', () => {
  let folder: string
  let target: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'archiver-links-'))
    target = join(folder, 'of-another')
    writeFileSync(target, 'theirs')
  })
  afterEach(() => {
    expect(readFileSync(target, 'utf8')).toBe('theirs')
    rmSync(folder, { recursive: true })
  })
  const plant = (...names: string[]): void => symlinkSync(target, join(folder, ...names))

  it('gets no line of the conflicts of rows', () => {
    plant('row_conflicts.jsonl')
    const conflict = { row_key: '1', src_row: '{}', dst_row: '{}' }
    conflictLog(
      folder,
      () => AT,
    )({
      type: 'batch-done',
      file: 'a.csv',
      batch: 1,
      conflicts: [conflict],
    } as unknown as Parameters<ReturnType<typeof conflictLog>>[0])
  })

  it('gets no line of the text log of rows', () => {
    plant('DataProcessingAllDetails_03_02_2026.txt')
    new TextLog(folder, 1, () => AT).line('ours')
  })

  it('gets nothing of what a run over records has in hand, and ends it', () => {
    const self = identity()
    plant(`orders.in-hand-${self.pid}-${self.startTicks ?? 0}.json.new`)
    expect(() => InHand.open({ folder, task: 'orders', self, startTicksOf: () => undefined })).toThrow(
      expect.objectContaining({ code: 'STATE_UNSAFE' }) as Error,
    )
  })

  it('gets no report of a tracked execution', () => {
    const journal = new Journal(folder, UUID)
    plant('tracking', `${UUID}.jsonl`)
    expect(() => journal.append([{ op: 'message', message: 'ours' }], AT)).toThrow(
      expect.objectContaining({ code: 'STATE_UNSAFE' }) as Error,
    )
  })
})
