import {
  calculate,
  compareDecimals,
  decimalText,
  parseDecimal,
  shortest,
  type Decimal,
} from '../values/decimal.ts'
import {
  addToMoment,
  compareMoments,
  dayText,
  isMidnight,
  isOfCalendar,
  momentText,
  parseMoment,
  type DateFormat,
  type Moment,
} from '../values/dates.ts'
import type { BinaryOperator, Comparison, Expression } from './syntax.ts'

/** What an expression works on. Text of a payload stays text until it is compared or calculated with. */
export type Value = string | Decimal | Moment | boolean | null

/** What an expression may look at. */
export interface Scope {
  /** The value of a name: trimmed, '' and the mapping's words for nothing given as null. Throws where the name is ambiguous. */
  lookUp(parts: readonly string[]): string | null
  /** The moment at which the item began. */
  readonly now: Moment
  readonly dateFormats: readonly DateFormat[]
}

/** An expression that has no result: letters in a sum, a date that is none. The message holds no value. */
export class EvaluationError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'EvaluationError'
  }
}

const isDecimal = (value: Value): value is Decimal =>
  typeof value === 'object' && value !== null && 'units' in value
export const isMoment = (value: Value): value is Moment =>
  typeof value === 'object' && value !== null && 'seconds' in value

/**
 * The value of an expression. Null operands: arithmetic gives null, a comparison is false. Numbers are exact. Throws an EvaluationError;
 * never gives another value in its place.
 */
export const evaluate = (expression: Expression, scope: Scope): Value => {
  switch (expression.type) {
    case 'literal':
      return expression.value
    case 'name':
      return scope.lookUp(expression.parts)
    case 'unary': {
      const operand = evaluate(expression.operand, scope)
      if (expression.operator === 'NOT') return !truth(operand)
      return operand === null ? null : calculate('-', { units: 0n, scale: 0 }, numberOf(operand))
    }
    case 'binary':
      return binary(expression.operator, expression.left, expression.right, scope)
    case 'case': {
      const { subject, branches, otherwise } = expression
      const wanted = subject && evaluate(subject, scope)
      for (const { when, then } of branches) {
        const value = evaluate(when, scope)
        if (wanted === undefined ? truth(value) : compare('=', wanted, value, scope))
          return evaluate(then, scope)
      }
      return otherwise ? evaluate(otherwise, scope) : null
    }
    case 'is': {
      const value = evaluate(expression.operand, scope)
      const is = value === null || (expression.what === 'EMPTY' && value === '')
      return is !== expression.negated
    }
    case 'like': {
      const value = evaluate(expression.operand, scope)
      const pattern = evaluate(expression.pattern, scope)
      if (value === null || pattern === null) return false
      return isLike(textOf(value), textOf(pattern)) !== expression.negated
    }
    case 'in': {
      const value = evaluate(expression.operand, scope)
      if (value === null) return false
      const found = expression.items.some((item) => compare('=', value, evaluate(item, scope), scope))
      return found !== expression.negated
    }
    case 'call':
      return call(expression, scope)
  }
}

/** Whether a value counts as true in a condition. A number does unless it is 0; null does not; other text is an error. */
export const truth = (value: Value): boolean => {
  if (typeof value === 'boolean') return value
  if (value === null) return false
  const number = isDecimal(value) ? value : typeof value === 'string' ? parseDecimal(value) : undefined
  if (number === undefined) throw new EvaluationError('a condition is neither true nor false nor a number')
  return number.units !== 0n
}

const binary = (operator: BinaryOperator, left: Expression, right: Expression, scope: Scope): Value => {
  if (operator === 'AND') return truth(evaluate(left, scope)) && truth(evaluate(right, scope))
  if (operator === 'OR') return truth(evaluate(left, scope)) || truth(evaluate(right, scope))
  const a = evaluate(left, scope)
  const b = evaluate(right, scope)
  switch (operator) {
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(operator, a, b, scope)
    case '||':
      return a === null || b === null ? null : textOf(a) + textOf(b)
    default:
      if (a === null || b === null) return null
      try {
        return calculate(operator, numberOf(a), numberOf(b))
      } catch (error) {
        if (error instanceof RangeError) throw new EvaluationError(error.message)
        throw error
      }
  }
}

/** Both numbers: as numbers. A date and what can be read as one: as dates. Else as text, by code point. */
const compare = (operator: Comparison, a: Value, b: Value, scope: Scope): boolean => {
  if (a === null || b === null) return false
  return holds(operator, order(a, b, scope))
}

const holds = (operator: Comparison, order: number): boolean => {
  switch (operator) {
    case '=':
      return order === 0
    case '<>':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

const order = (a: Exclude<Value, null>, b: Exclude<Value, null>, scope: Scope): number => {
  if (isMoment(a) || isMoment(b)) return compareMoments(momentOf(a, scope), momentOf(b, scope))
  const [left, right] = [numericOf(a), numericOf(b)]
  if (left && right) return compareDecimals(left, right)
  return byCodePoint(textOf(a), textOf(b))
}

const numericOf = (value: Exclude<Value, null>): Decimal | undefined => {
  if (typeof value === 'boolean') return { units: value ? 1n : 0n, scale: 0 }
  if (typeof value === 'string') return parseDecimal(value)
  return isDecimal(value) ? value : undefined
}

const numberOf = (value: Exclude<Value, null>): Decimal => {
  const number = numericOf(value)
  if (!number) throw new EvaluationError('a sum has an operand that is no number')
  return number
}

/** Text as UTF-16 sorts otherwise than its characters do. */
const byCodePoint = (a: string, b: string): number => {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** A value as text: numbers in plain notation, days as `2024-01-31`. */
export const textOf = (value: Exclude<Value, null>): string => {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (isDecimal(value)) return decimalText(shortest(value))
  return isMidnight(value) ? dayText(value) : momentText(value, undefined)
}

const isLike = (text: string, pattern: string): boolean => {
  const [characters, parts] = [Array.from(text), Array.from(pattern)]
  let [at, part, star, mark] = [0, 0, -1, 0]
  while (at < characters.length)
    if (parts[part] === '%') [star, mark] = [part++, at]
    else if (parts[part] === '_' || parts[part] === characters[at]) [at, part] = [at + 1, part + 1]
    else if (star >= 0) [part, at] = [star + 1, ++mark]
    else return false
  while (parts[part] === '%') part++
  return part === parts.length
}

const momentOf = (value: Exclude<Value, null>, scope: Scope): Moment => {
  if (isMoment(value)) return value
  const text = textOf(value)
  const moment = parseMoment(text, scope.dateFormats) ?? parseMoment(text, [])
  if (!moment) throw new EvaluationError('a date is compared with what is no date')
  return moment
}

const call = ({ name, unit, operands }: Extract<Expression, { type: 'call' }>, scope: Scope): Value => {
  switch (name) {
    case 'NOW':
      return scope.now
    case 'COALESCE':
      for (const operand of operands) {
        const value = evaluate(operand, scope)
        if (value !== null) return value
      }
      return null
    case 'DATE': {
      const [value = null] = operands.map((operand) => evaluate(operand, scope))
      return value === null ? null : startOfDay(momentOf(value, scope))
    }
    case 'DATEADD': {
      const [count = null, from = null] = operands.map((operand) => evaluate(operand, scope))
      if (count === null || from === null) return null
      const number = Number(decimalText(numberOf(count)))
      if (!Number.isInteger(number) || Math.abs(number) > 1_000_000)
        throw new EvaluationError('DATEADD takes a whole number up to 1000000')
      return bounded(addToMoment(momentOf(from, scope), unit ?? 'day', number))
    }
  }
}

const DAY = 86_400_000
const startOfDay = ({ seconds }: Moment): Moment => ({
  seconds: Math.floor(seconds / DAY) * DAY,
  fraction: '',
})

const bounded = (moment: Moment): Moment => {
  if (!isOfCalendar(moment)) throw new EvaluationError('a date is outside of the years 1 to 9999')
  return moment
}
