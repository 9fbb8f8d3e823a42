import { describe, expect, it } from 'vitest'
import { BUILT_IN_SCHEMA } from '../../../src/stores/run-records/fhiclize/schema.ts'
import { ArchiverError } from '../../../src/errors.ts'
import { judge } from '../../../src/engine/attempt.ts'
import { converter } from '../../../src/runs/workers/convert-run.ts'
import { ALL, recordOf } from '../../stores/run-records/fhiclize/record.ts'

describe('a bug in the conversion of one record', () => {
  const convert = converter({ schema: BUILT_IN_SCHEMA, generate: ALL })
  const broken = { name: 'boot.txt', mode: 0o444, content: undefined as unknown as Buffer }
  const thrown = (): unknown => {
    try {
      return convert({ ...recordOf({}, 7), files: [broken] })
    } catch (error) {
      return error
    }
  }

  it('fails that run with the bug as its cause, and does not end the pass for all others', () => {
    const error = thrown()
    expect(error).toBeInstanceOf(ArchiverError)
    expect(error).toMatchObject({ code: 'RECORD_INVALID', run: 7 })
    expect((error as Error).cause).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(((error as Error).cause as Error).message)
    expect(judge(error as Error)).toBe('failed')
  })
})
