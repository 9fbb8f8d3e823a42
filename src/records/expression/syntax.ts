import type { Decimal } from '../values/decimal.ts'

/** An expression of a mapping, parsed. */
export type Expression =
  | { readonly type: 'literal'; readonly value: string | Decimal | null }
  | { readonly type: 'name'; readonly parts: readonly string[] }
  | { readonly type: 'unary'; readonly operator: '-' | 'NOT'; readonly operand: Expression }
  | {
      readonly type: 'binary'
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly type: 'case'
      /** `CASE x WHEN 1`: what each WHEN is compared with. */
      readonly subject: Expression | undefined
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[]
      readonly otherwise: Expression | undefined
    }
  | {
      readonly type: 'is'
      readonly operand: Expression
      readonly what: 'NULL' | 'EMPTY'
      readonly negated: boolean
    }
  | {
      readonly type: 'like'
      readonly operand: Expression
      readonly pattern: Expression
      readonly negated: boolean
    }
  | {
      readonly type: 'in'
      readonly operand: Expression
      readonly items: readonly Expression[]
      readonly negated: boolean
    }
  | {
      readonly type: 'call'
      readonly name: FunctionName
      readonly unit: DateUnit | undefined
      readonly operands: readonly Expression[]
    }

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='
export type BinaryOperator = Comparison | 'AND' | 'OR' | '||' | '+' | '-' | '*' | '/' | '//' | '%'
export type FunctionName = 'DATE' | 'DATEADD' | 'COALESCE' | 'NOW'
export type DateUnit = 'day' | 'month' | 'year'

/** Every name that an expression reads. */
export function* namesIn(expression: Expression): Generator<readonly string[]> {
  switch (expression.type) {
    case 'literal':
      return
    case 'name':
      yield expression.parts
      return
    default:
      for (const part of partsOf(expression)) yield* namesIn(part)
  }
}

/** The expressions that one is made of. */
export const partsOf = (
  expression: Exclude<Expression, { type: 'literal' | 'name' }>,
): readonly Expression[] => {
  switch (expression.type) {
    case 'unary':
    case 'is':
      return [expression.operand]
    case 'binary':
      return [expression.left, expression.right]
    case 'like':
      return [expression.operand, expression.pattern]
    case 'in':
      return [expression.operand, ...expression.items]
    case 'call':
      return expression.operands
    case 'case':
      return [
        ...(expression.subject ? [expression.subject] : []),
        ...expression.branches.flatMap(({ when, then }) => [when, then]),
        ...(expression.otherwise ? [expression.otherwise] : []),
      ]
  }
}
