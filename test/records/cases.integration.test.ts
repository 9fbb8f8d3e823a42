import { describe, expect, it } from 'vitest'
import { programBeside } from '../site.ts'
import { CASES, compared, givenFile, isShared, SHARED, wanted } from './case-folders.ts'

describe('run-archiver records plan FILE --mapping FILE --json', () => {
  it.each(CASES)('prints what the expectation of $name says', async (one) => {
    const about = ['--source-key', one.sourceKey, '--source-kind', one.sourceKind, '--json', '--show-values']
    const file = givenFile(one)
    const given = file === undefined ? [] : ['--given', file]
    const words = ['records', 'plan', one.payload, '--mapping', one.mapping, ...about, ...given]
    const { stdout, stderr, status } = await programBeside(words)
    expect(stderr).toBe('')
    expect(compared(JSON.parse(stdout) as Record<string, unknown>, one)).toEqual(wanted(one))
    expect(status).toBe(one.expected['status'] === 'success' ? 0 : 1)
  })
  if (!isShared) it.skip(`the shared cases: ${SHARED} is not there`)
})
