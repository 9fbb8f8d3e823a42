import { parseDecimal } from '../values/decimal.ts'
import type { BinaryOperator, DateUnit, Expression, FunctionName } from './syntax.ts'
import { ExpressionSyntaxError, partsOfName, tokensOf, type Token } from './tokens.ts'

const DEEPEST = 50

/** How tightly an operator binds; those of one line bind from left to right. */
const POWER: Readonly<Record<string, number>> = {
  OR: 1,
  AND: 2,
  // NOT: 3
  '=': 4,
  '<>': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  IS: 4,
  LIKE: 4,
  IN: 4,
  NOT: 4,
  '||': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '//': 7,
  '%': 7,
}
const NOT_POWER = 3
const COMPARING = 4
const SIGN_POWER = 8

/**
 * Reads an expression. `nameOf` gives the name that elements are compared by for a part of a name, and throws a SyntaxError where there is
 * none. Throws an ExpressionSyntaxError that says what is wrong and at which character.
 */
export const parseExpression = (
  text: string,
  nameOf: (part: string) => string = (part) => part,
): Expression => new Parser(tokensOf(text), nameOf).whole()

class Parser {
  readonly #tokens: readonly Token[]
  readonly #nameOf: (part: string) => string
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], nameOf: (part: string) => string) {
    this.#tokens = tokens
    this.#nameOf = nameOf
  }

  whole(): Expression {
    const expression = this.#expression(0)
    const rest = this.#peek()
    if (rest.type !== 'end')
      throw new ExpressionSyntaxError(`has "${rest.text}" where it should end`, rest.at)
    return expression
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { type: 'end', text: '', at: 0 }
  }

  #next(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }

  #accept(text: string): boolean {
    const { type, text: found } = this.#peek()
    if ((type !== 'word' && type !== 'sign') || found !== text) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    const { at, text: found } = this.#peek()
    if (!this.#accept(text))
      throw new ExpressionSyntaxError(`needs ${text} before ${found === '' ? 'its end' : `"${found}"`}`, at)
  }

  #expression(least: number): Expression {
    if (++this.#depth > DEEPEST)
      throw new ExpressionSyntaxError(`is nested deeper than ${DEEPEST} levels`, this.#peek().at)
    let left = this.#operand()
    for (;;) {
      const token = this.#peek()
      const power = token.type === 'sign' || token.type === 'word' ? POWER[token.text] : undefined
      if (power === undefined || power <= least) break
      this.#next()
      left = this.#after(left, token, power)
      const following = POWER[this.#peek().text]
      if (power === COMPARING && following === COMPARING && this.#peek().text !== 'IS')
        throw new ExpressionSyntaxError(
          'compares what is a comparison already: use brackets',
          this.#peek().at,
        )
    }
    this.#depth--
    return left
  }

  #after(left: Expression, { text, at }: Token, power: number): Expression {
    switch (text) {
      case 'IS': {
        const negated = this.#accept('NOT')
        if (this.#accept('NULL')) return { type: 'is', operand: left, what: 'NULL', negated }
        this.#expect('EMPTY')
        return { type: 'is', operand: left, what: 'EMPTY', negated }
      }
      case 'NOT':
        if (this.#accept('LIKE'))
          return { type: 'like', operand: left, pattern: this.#expression(power), negated: true }
        this.#expect('IN')
        return { type: 'in', operand: left, items: this.#list(), negated: true }
      case 'LIKE':
        return { type: 'like', operand: left, pattern: this.#expression(power), negated: false }
      case 'IN':
        if (this.#peek().text !== '(') throw new ExpressionSyntaxError('needs ( after IN', at)
        return { type: 'in', operand: left, items: this.#list(), negated: false }
      default:
        return { type: 'binary', operator: text as BinaryOperator, left, right: this.#expression(power) }
    }
  }

  #operand(): Expression {
    const token = this.#next()
    switch (token.type) {
      case 'text':
        return { type: 'literal', value: token.text }
      case 'number':
        return { type: 'literal', value: parseDecimal(token.text) ?? null }
      case 'name':
        return { type: 'name', parts: this.#parts(token) }
      case 'word':
        return this.#word(token)
      case 'sign':
        if (token.text === '(') {
          const inside = this.#expression(0)
          this.#expect(')')
          return inside
        }
        if (token.text === '-') return { type: 'unary', operator: '-', operand: this.#expression(SIGN_POWER) }
        if (token.text === '+') return this.#expression(SIGN_POWER)
    }
    throw new ExpressionSyntaxError(
      token.type === 'end'
        ? 'ends where a value should stand'
        : `has "${token.text}" where a value should stand`,
      token.at,
    )
  }

  #parts({ text, at }: Token): readonly string[] {
    try {
      return partsOfName(text).map(this.#nameOf)
    } catch (error) {
      if (error instanceof SyntaxError) throw new ExpressionSyntaxError(error.message, at)
      throw error
    }
  }

  #word({ text, at }: Token): Expression {
    switch (text) {
      case 'NOT':
        return { type: 'unary', operator: 'NOT', operand: this.#expression(NOT_POWER - 1) }
      case 'NULL':
        return { type: 'literal', value: null }
      case 'CASE':
        return this.#case(at)
      case 'NOW':
        if (this.#peek().text !== '(') return { type: 'call', name: text, unit: undefined, operands: [] }
        return this.#call(text, at)
      case 'DATE':
      case 'COALESCE':
      case 'DATEADD':
        if (this.#peek().text === '(') return this.#call(text, at)
    }
    if (['DATE', 'DAY', 'MONTH', 'YEAR', 'EMPTY'].includes(text))
      return { type: 'name', parts: [text.toLowerCase()] }
    throw new ExpressionSyntaxError(`has ${text} where a value should stand`, at)
  }

  #case(at: number): Expression {
    const subject =
      this.#peek().text === 'WHEN' && this.#peek().type === 'word' ? undefined : this.#expression(0)
    const branches = []
    while (this.#accept('WHEN')) {
      const when = this.#expression(0)
      this.#expect('THEN')
      branches.push({ when, then: this.#expression(0) })
    }
    if (branches.length === 0) throw new ExpressionSyntaxError('has CASE without WHEN', at)
    const otherwise = this.#accept('ELSE') ? this.#expression(0) : undefined
    this.#expect('END')
    return { type: 'case', subject, branches, otherwise }
  }

  #call(name: FunctionName, at: number): Expression {
    let unit: DateUnit | undefined
    let operands: Expression[]
    if (name === 'DATEADD') {
      this.#expect('(')
      unit = this.#unit()
      this.#expect(',')
      operands = this.#items()
    } else operands = this.#list()
    const wanted = { DATE: 1, DATEADD: 2, NOW: 0, COALESCE: undefined }[name]
    if (wanted === undefined ? operands.length === 0 : operands.length !== wanted)
      throw new ExpressionSyntaxError(
        name === 'DATEADD'
          ? 'needs DATEADD(unit, number, date)'
          : `has ${name} with ${operands.length} values`,
        at,
      )
    return { type: 'call', name, unit, operands }
  }

  #unit(): DateUnit {
    const { text, at } = this.#next()
    const unit = (['day', 'month', 'year'] as const).find(
      (name) => name === text.toLowerCase().replace(/s$/, ''),
    )
    if (unit === undefined) throw new ExpressionSyntaxError('needs day, month or year in DATEADD', at)
    return unit
  }

  #list(): Expression[] {
    this.#expect('(')
    return this.#items()
  }

  /** What stands in brackets that are open already. */
  #items(): Expression[] {
    if (this.#accept(')')) return []
    const items = []
    do items.push(this.#expression(0))
    while (this.#accept(','))
    this.#expect(')')
    return items
  }
}
