import type { DateFormat } from '../values/dates.ts'
import { EvaluationError, evaluate, type Scope, type Value } from './evaluate.ts'
import { partsOf, type BinaryOperator, type Expression } from './syntax.ts'

/** What an expression gives for every payload: a fixed value, or only the kind of the value. */
export type Outcome =
  | { readonly type: 'value'; readonly value: Exclude<Value, null> }
  | { readonly type: 'number' | 'truth' | 'moment' | 'now' }

/** Nothing of a payload; the moment is one that no test of a type takes for a day. */
const fixedScope = (dateFormats: readonly DateFormat[]): Scope => ({
  lookUp: () => null,
  now: { seconds: Date.UTC(2024, 0, 31, 1, 2, 3), fraction: '004' },
  dateFormats,
})

/**
 * What can never be evaluated in an expression, whatever the payload: letters in a sum, a date that no calendar has, a condition that is a
 * text. One sentence for each. Pure.
 */
export const literalFaults = (expression: Expression, formats: readonly DateFormat[]): string[] => [
  ...new Set(faultsIn(expression, fixedScope(formats))),
]

/** As `literalFaults`, for an expression that stands as a condition. */
export const conditionFaults = (expression: Expression, formats: readonly DateFormat[]): string[] => {
  const scope = fixedScope(formats)
  return [...new Set([...faultsIn(expression, scope), ...asCondition(expression, scope)])]
}

/** What the branches of an expression give that do not depend on the payload. Branches that do are left out. */
export const outcomesOf = (expression: Expression, formats: readonly DateFormat[]): readonly Outcome[] =>
  outcomesIn(expression, fixedScope(formats))

const ARITHMETIC: ReadonlySet<BinaryOperator> = new Set(['+', '-', '*', '/', '//', '%'])

const faultsIn = (expression: Expression, scope: Scope): string[] => {
  if (expression.type === 'literal' || expression.type === 'name') return []
  if (isConstant(expression)) return attempt(expression, scope)
  return [
    ...partsOf(expression).flatMap((part) => faultsIn(part, scope)),
    ...operandFaults(expression, scope),
  ]
}

type Compound = Exclude<Expression, { type: 'literal' | 'name' }>

const operandFaults = (expression: Compound, scope: Scope): string[] => {
  switch (expression.type) {
    case 'unary':
      return expression.operator === 'NOT'
        ? asCondition(expression.operand, scope)
        : asNumber(expression.operand, scope)
    case 'binary': {
      const { operator, left, right } = expression
      if (ARITHMETIC.has(operator)) return [...asNumber(left, scope), ...asNumber(right, scope)]
      if (operator === 'AND' || operator === 'OR')
        return [...asCondition(left, scope), ...asCondition(right, scope)]
      return operator === '||' ? [] : compared(left, right, scope)
    }
    case 'case': {
      const { subject, branches } = expression
      return branches.flatMap(({ when }) =>
        subject ? compared(subject, when, scope) : asCondition(when, scope),
      )
    }
    case 'in':
      return expression.items.flatMap((item) => compared(expression.operand, item, scope))
    case 'call': {
      const [first, second] = expression.operands
      if (expression.name === 'DATE' && first) return asDate(first, scope)
      if (expression.name === 'DATEADD' && first && second)
        return [...asCount(first, scope), ...asDate(second, scope)]
      return []
    }
    case 'is':
    case 'like':
      return []
  }
}

/** A date is compared with what can be read as one, or not at all. */
const compared = (left: Expression, right: Expression, scope: Scope): string[] => [
  ...(isMomentKind(left) ? asDate(right, scope) : []),
  ...(isMomentKind(right) ? asDate(left, scope) : []),
]

const isMomentKind = (expression: Expression): boolean =>
  expression.type === 'call' && expression.name !== 'COALESCE'

const asNumber = (operand: Expression, scope: Scope): string[] =>
  isConstant(operand) || isMomentKind(operand)
    ? attempt({ type: 'unary', operator: '-', operand: exampleOf(operand) }, scope, operand)
    : []

const asCondition = (operand: Expression, scope: Scope): string[] =>
  isConstant(operand) || isMomentKind(operand)
    ? attempt({ type: 'unary', operator: 'NOT', operand: exampleOf(operand) }, scope, operand)
    : []

const asDate = (operand: Expression, scope: Scope): string[] =>
  isConstant(operand) ? attempt(callOf('DATE', [operand]), scope, operand) : []

const asCount = (operand: Expression, scope: Scope): string[] =>
  isConstant(operand) || isMomentKind(operand)
    ? attempt(callOf('DATEADD', [exampleOf(operand), SOME_DAY]), scope, operand)
    : []

const callOf = (name: 'DATE' | 'DATEADD', operands: readonly Expression[]): Expression => ({
  type: 'call',
  name,
  unit: name === 'DATEADD' ? 'day' : undefined,
  operands,
})

const SOME_DAY: Expression = callOf('DATE', [{ type: 'literal', value: '2000-01-01' }])

/** Of dates that depend on the payload any one will do: none of them is a number. */
const exampleOf = (operand: Expression): Expression => (isConstant(operand) ? operand : SOME_DAY)

/** Whether neither the payload nor the clock has a part in it. */
const isConstant = (expression: Expression): boolean => {
  if (expression.type === 'literal') return true
  if (expression.type === 'name' || (expression.type === 'call' && expression.name === 'NOW')) return false
  return partsOf(expression).every(isConstant)
}

/** The reason why an expression has no value, with the literal that is to blame. */
const attempt = (expression: Expression, scope: Scope, blamed: Expression = expression): string[] => {
  try {
    evaluate(expression, scope)
    return []
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    const literal =
      blamed.type === 'literal' && typeof blamed.value === 'string' ? ` ('${blamed.value}')` : ''
    return [`${error.message}${literal}`]
  }
}

const outcomesIn = (expression: Expression, scope: Scope): readonly Outcome[] => {
  if (isConstant(expression)) return constantOutcome(expression, scope)
  switch (expression.type) {
    case 'literal':
    case 'name':
      return []
    case 'unary':
      return [{ type: expression.operator === 'NOT' ? 'truth' : 'number' }]
    case 'binary':
      if (expression.operator === '||') return []
      return [{ type: ARITHMETIC.has(expression.operator) ? 'number' : 'truth' }]
    case 'is':
    case 'like':
    case 'in':
      return [{ type: 'truth' }]
    case 'case': {
      const results = expression.branches.map(({ then }) => then)
      if (expression.otherwise) results.push(expression.otherwise)
      return results.flatMap((result) => outcomesIn(result, scope))
    }
    case 'call':
      if (expression.name === 'COALESCE')
        return expression.operands.flatMap((operand) => outcomesIn(operand, scope))
      return [{ type: expression.name === 'NOW' ? 'now' : 'moment' }]
  }
}

const constantOutcome = (expression: Expression, scope: Scope): readonly Outcome[] => {
  try {
    const value = evaluate(expression, scope)
    return value === null ? [] : [{ type: 'value', value }]
  } catch (error) {
    if (error instanceof EvaluationError) return []
    throw error
  }
}
