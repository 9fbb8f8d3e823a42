import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expand } from '../../src/config/interpolate.ts'

const scope = {
  environment: (name: string) => ({ SET: 'value', EMPTY: '', BRACES: '${SET}' })[name],
  setting: (name: string) => `<${name}>`,
}

describe('a text with references', () => {
  it.each([
    ['plain', 'plain'],
    ['${SET}', 'value'],
    ['a${SET}b${SET}c', 'avaluebvaluec'],
    ['${EMPTY}', ''],
    ['${EMPTY:-other}', 'other'],
    ['${UNSET:-}', ''],
    ['${UNSET:-a b:-c}', 'a b:-c'],
    ['${UNSET:-${ALSO_UNSET:-${SET}}}', 'value'],
    ['${UNSET:-${work_dir}/x}', '<work_dir>/x'],
    ['${SET:-${UNSET}}', 'value'],
    ['${work_dir}/${app.log_file}', '<work_dir>/<app.log_file>'],
    ['$${SET}', '${SET}'],
    ['$SET $ $$ {SET}', '$SET $ $$ {SET}'],
    ['${BRACES}', '${SET}'],
    ['}', '}'],
  ])('%s becomes %s', (text, expanded) => {
    expect(expand(text, scope)).toBe(expanded)
  })
  it.each([
    '${',
    '${}',
    '${SET',
    '${UNSET:-x',
    '${SET:-${UNSET:-x}',
    '${a b}',
    '${1}',
    '${SET-x}',
    '${SET:=x}',
  ])('%s is refused', (text) => {
    expect(() => expand(text, scope)).toThrow(SyntaxError)
  })
  it('is refused when it is nested without end, before the stack is', () => {
    expect(() => expand('${A:-'.repeat(50_000), scope)).toThrow('nested deeper')
  })
  it('never looks again at what it put in', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(expand('${V}', { ...scope, environment: () => value })).toBe(value)
      }),
    )
  })
  it('leaves every text without a dollar as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll('$', '')
        expect(expand(plain, scope)).toBe(plain)
      }),
    )
  })
})
