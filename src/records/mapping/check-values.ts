import { literalFaults, outcomesOf, type Outcome } from '../expression/check-literals.ts'
import { isMoment, textOf } from '../expression/evaluate.ts'
import { cleaned, decoded, momentOfNow, typed, ValueError } from '../values/convert.ts'
import { ISO_FORMAT, type DateFormat } from '../values/dates.ts'
import type { Codes, Column, Origin } from './model.ts'

/** Something that a column says of its values and that cannot be stored in it. */
export interface ValueFault {
  readonly setting: 'default' | 'value' | 'expr' | 'else' | 'codes'
  readonly message: string
}

/** What of the whole mapping bears on fixed values. */
export interface ValueRules {
  readonly nullWords: ReadonlySet<string>
  readonly dateFormats: readonly DateFormat[]
}

/**
 * What a column can be seen to get wrong before there is a payload: a default, a constant, a value of its codes or a branch of its expression
 * that does not fit its type, length or codes. Each would fail every item that comes by it. Pure.
 */
export const valueFaults = (column: Column, rules: ValueRules): readonly ValueFault[] => [
  ...defaultFaults(column),
  ...codesFaults(column, column.codes),
  ...originFaults(column, column.origin, column.codes, rules),
  ...elseFaults(column, rules),
]

/** What is wrong with a text in a column; undefined where it fits. */
const faultOf = (text: string, column: Column, isIso = false): string | undefined => {
  const formats = isIso && column.formats.length > 0 ? [...column.formats, ISO_FORMAT] : column.formats
  try {
    typed(text, { ...column, formats }, () => undefined)
    return undefined
  } catch (error) {
    if (error instanceof ValueError) return error.message
    throw error
  }
}

const defaultFaults = (column: Column): ValueFault[] => {
  const { default: given, codes, type } = column
  if (given === undefined) return []
  const fault = faultOf(String(given), column, true)
  if (fault !== undefined) return [{ setting: 'default', message: `default "${given}" ${fault}` }]
  if (!codes || typeof given === 'number' || type !== undefined) return []
  // Without a type the codes say what the column holds.
  const code = [...codes.values].find(([name]) => name !== '' && name.toLowerCase() === given.toLowerCase())
  const isNumeric =
    codes.values.size > 0 && [...codes.values.values()].every((one) => typeof one === 'number')
  if ([...codes.values.values()].includes(given)) return []
  if (code)
    return [
      {
        setting: 'default',
        message: `default "${given}" is a code of ${codes.name}; a default is what is stored: ${code[1]}`,
      },
    ]
  return isNumeric
    ? [{ setting: 'default', message: `default "${given}" is no number, as those of ${codes.name} are` }]
    : []
}

const codesFaults = (column: Column, codes: Codes | undefined): ValueFault[] => {
  if (!codes) return []
  const given = [...codes.values].map(([code, value]) => [`for "${code}"`, value] as const)
  const all =
    codes.otherwise === undefined ? given : [...given, ['for unknown codes', codes.otherwise] as const]
  return all.flatMap(([code, value]) => {
    const fault = value === '' ? undefined : faultOf(String(value), column)
    return fault === undefined
      ? []
      : [{ setting: 'codes', message: `${codes.name} gives "${value}" ${code}, which ${fault}` }]
  })
}

const elseFaults = (column: Column, rules: ValueRules): ValueFault[] => {
  const { fallback } = column
  if (!fallback) return []
  const own = fallback.codes && fallback.codes !== column.codes ? fallback.codes : undefined
  return [
    ...codesFaults(column, own),
    ...originFaults(column, fallback.origin, fallback.codes ?? column.codes, rules),
  ].map(({ message }) => ({ setting: 'else', message }))
}

const originFaults = (
  column: Column,
  origin: Origin,
  codes: Codes | undefined,
  rules: ValueRules,
): ValueFault[] => {
  switch (origin.type) {
    case 'literal': {
      if (origin.value === null) return []
      const fault = constantFault(String(origin.value), column, codes, false)
      return fault === undefined ? [] : [{ setting: 'value', message: `value "${origin.value}" ${fault}` }]
    }
    case 'expression': {
      const formats = column.formats.length > 0 ? column.formats : rules.dateFormats
      const { expression } = origin.formula
      const found = literalFaults(expression, formats)
      const misfits = found.length > 0 || !isStrict(column) ? [] : outcomesOf(expression, formats)
      return [...found, ...misfits.flatMap((one) => misfit(one, column, codes, rules) ?? [])].map(
        (message) => ({ setting: 'expr', message: `expression: ${message}` }),
      )
    }
    case 'now': {
      const fault = faultOf(momentOfNow(SOME_MOMENT, column), column, true)
      return fault === undefined ? [] : [{ setting: 'value', message: `$now ${fault}` }]
    }
    default:
      return []
  }
}

const SOME_MOMENT = { seconds: Date.UTC(2024, 0, 31, 1, 2, 3), fraction: '004' }

/** Whether a value that does not fit fails the item. */
const isStrict = ({ onBad, required }: Column): boolean => onBad === 'fail' || (onBad === 'null' && required)

/** As a value of the payload passes: characters taken away, codes, type. */
const constantFault = (
  text: string,
  column: Column,
  codes: Codes | undefined,
  isIso: boolean,
): string | undefined => {
  let plain: string
  try {
    plain = cleaned(text, column)
  } catch (error) {
    if (error instanceof ValueError) return error.message
    throw error
  }
  if (plain === '') return undefined
  if (!codes) return faultOf(plain, column, isIso)
  const isUnknown = decoded(plain, codes) === undefined && codes.otherwise === undefined
  return isUnknown && !codes.quiet && column.onUnknown === 'fail' ? `is no code of ${codes.name}` : undefined
}

const EXAMPLES: Readonly<Record<Exclude<Outcome['type'], 'value'>, readonly string[]>> = {
  number: ['1', '0', '1.5', '20240131'],
  truth: ['1', '0'],
  moment: ['2024-01-31', '2024-01-31 01:02:03.004'],
  now: ['2024-01-31 01:02:03.004'],
}
const SHOWN: Readonly<Record<keyof typeof EXAMPLES, string>> = {
  number: 'a number',
  truth: '1 or 0 (true or false)',
  moment: 'a date',
  now: 'a date with the time of day',
}

const misfit = (
  outcome: Outcome,
  column: Column,
  codes: Codes | undefined,
  { nullWords }: ValueRules,
): string | undefined => {
  if (outcome.type === 'value') {
    const text = textOf(outcome.value)
    const plain = column.trim ? text.trim() : text
    if (plain === '' || nullWords.has(plain) || column.nullWords.includes(plain)) return undefined
    const fault = constantFault(plain, column, codes, isMoment(outcome.value))
    return fault === undefined ? undefined : `gives "${plain}", which ${fault}`
  }
  if (codes) return undefined
  const isIso = outcome.type === 'moment' || outcome.type === 'now'
  const faults = EXAMPLES[outcome.type].map((text) => constantFault(text, column, undefined, isIso))
  return faults.every((fault) => fault !== undefined)
    ? `gives ${SHOWN[outcome.type]}, which ${faults[0] ?? ''}`
    : undefined
}
