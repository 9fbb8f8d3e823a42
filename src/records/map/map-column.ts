import { EvaluationError, evaluate, isMoment, textOf } from '../expression/evaluate.ts'
import type { ItemPlace } from '../item-error.ts'
import { isChoice, type Choice, type Column, type Origin, type Table, type Take } from '../mapping/model.ts'
import type { Element } from '../payload/tree.ts'
import { trimmed } from '../values/characters.ts'
import { ISO_FORMAT } from '../values/dates.ts'
import { cleaned, decoded, momentOfNow, typed, ValueError, type Cell } from '../values/convert.ts'
import type { ItemReport } from './item-report.ts'
import { choiceText, NOTHING, pathPlace, type Mapped, type Material } from './material.ts'
import { elementsAt, isDoubled, leafOf, shownElements, shownPath } from './select.ts'

/** Makes the value of one column of a row. Reports what is wrong with it, and gives a value all the same. */
export class ColumnMapper {
  readonly #table: Table
  readonly #column: Column
  readonly #context: Element | undefined
  readonly #material: Material
  /** The value is a date that was made here, and not written in the payload's way. */
  #isIso = false

  constructor(table: Table, column: Column, context: Element | undefined, material: Material) {
    this.#table = table
    this.#column = column
    this.#context = context
    this.#material = material
  }

  map(): Mapped {
    const { origin, fallback, codes } = this.#column
    try {
      const first = this.#raw(origin)
      if (first !== null || !fallback) return this.#finished(first, codes)
      return this.#finished(this.#raw(fallback.origin), fallback.codes ?? codes)
    } catch (error) {
      if (error instanceof EvaluationError) this.#fail('EXPRESSION', error.message, false)
      else if (error instanceof ValueError) return this.#badValue(error)
      else throw error
      return NOTHING
    }
  }

  #place(withPath: boolean): ItemPlace {
    const path = withPath ? pathPlace(this.#column.origin, this.#context, this.#material.lists) : {}
    return { table: this.#table.name, column: this.#column.name, ...path }
  }

  #fail(code: Parameters<ItemReport['fail']>[0], message: string, withPath = true): void {
    this.#material.report.fail(
      code,
      `${this.#table.name}.${this.#column.name} ${message}`,
      this.#place(withPath),
    )
  }

  #warn(code: Parameters<ItemReport['warn']>[0]['code'], at?: string): void {
    const { table = '', column, path: own } = this.#place(true)
    const path = at ?? own
    this.#material.report.warn({
      code,
      table,
      column: String(column),
      ...(path === undefined ? {} : { path }),
    })
  }

  #badValue(error: ValueError): Mapped {
    const { onBad, required } = this.#column
    if (onBad === 'fail' || (onBad === 'null' && required)) {
      this.#fail(error.code, error.message)
      // Not null, so that it is not reported as missing as well.
      return { cell: '', own: true, isDefault: false }
    }
    this.#warn(error.code)
    return onBad === 'default' ? this.#default() : NOTHING
  }

  /** The value before its type: a literal as it is, anything else as text; null for nothing. */
  #raw(origin: Origin): string | number | null {
    const { material, context } = { material: this.#material, context: this.#context }
    switch (origin.type) {
      case 'key':
        return material.key
      case 'literal':
        return origin.value
      case 'now':
        this.#isIso = true
        return this.#significant(momentOfNow(material.now, this.#column))
      case 'expression': {
        const scope = material.names.scope({
          row: context,
          base: origin.base && elementsAt(origin.base, material.root, undefined).at(-1),
          formats: this.#column.formats,
          repeated: () => this.#warn('ELEMENT_AMBIGUOUS'),
        })
        const value = evaluate(origin.formula.expression, scope)
        this.#isIso = isMoment(value)
        return value === null ? null : this.#significant(textOf(value))
      }
      case 'path': {
        const { path, take, warns } = origin
        const found = elementsAt(path, material.root, context)
        const shown = (): string => shownElements(path, context, material.lists.listed)
        if (warns && found.length > 1) this.#warn('ELEMENT_AMBIGUOUS', shown())
        const element = this.#taken(found, take, shown)
        if (element && isDoubled(element, path)) {
          if (take === 'only')
            return this.#ambiguous('several attributes', shownPath(path, context, material.lists.listed))
          if (warns) this.#warn('ELEMENT_AMBIGUOUS')
        }
        const text = element && leafOf(element, path.leaf, take)
        return text === undefined ? null : this.#significant(text)
      }
      case 'choice':
        return this.#chosen(origin.choice, context)
    }
  }

  #chosen(choice: Choice, context: Element | undefined): string | null {
    const { each, where, ignoreCase, prefer, take, value } = choice
    const { lists, root } = this.#material
    const found = lists
      .elements(each, context)
      .filter((element) => where.every((requirement) => lists.meets(element, requirement, ignoreCase)))
    const element = this.#taken(lists.preferred(found, prefer, ignoreCase), take, () => each.text)
    if (!element) return null
    if (isChoice(value)) return this.#chosen(value, element)
    const target = this.#taken(elementsAt(value, root, element), take, () => choiceText(choice))
    const text = target && leafOf(target, value.leaf)
    return text === undefined ? null : this.#significant(text)
  }

  #taken(elements: readonly Element[], take: Take, path: () => string): Element | undefined {
    if (elements.length > 1 && take === 'only') {
      this.#ambiguous(`${elements.length} elements`, path())
      return undefined
    }
    return take === 'last' ? elements.at(-1) : elements[0]
  }

  #ambiguous(what: string, path: string): null {
    const [table, column] = [this.#table.name, this.#column.name]
    const message = `${table}.${column}: the path names ${what}`
    this.#material.report.fail('ELEMENT_AMBIGUOUS', message, { table, column, path })
    return null
  }

  #significant(text: string): string | null {
    const plain = this.#column.trim ? trimmed(text) : text
    if (plain === '' || this.#column.nullWords.includes(plain)) return null
    return this.#material.mapping.nullWords.has(plain) ? null : plain
  }

  #finished(raw: string | number | null, codes: Column['codes']): Mapped {
    const { origin } = this.#column
    const own = origin.type !== 'key' && origin.type !== 'literal' && origin.type !== 'now'
    if (typeof raw === 'number' && !codes && !own && this.#column.type === undefined)
      return { cell: raw, own, isDefault: false }
    const text = raw === null ? null : this.#blankless(cleaned(String(raw), this.#column))
    if (codes) return this.#coded(text, codes)
    if (text === null) return this.#default()
    if (origin.type === 'key' && this.#column.type === undefined) return { cell: raw, own, isDefault: false }
    return { cell: this.#typed(text), own, isDefault: false }
  }

  #blankless(text: string): string | null {
    return text === '' ? null : text
  }

  #coded(text: string | null, codes: NonNullable<Column['codes']>): Mapped {
    const known = decoded(text, codes)
    const value = known === undefined ? codes.otherwise : known
    if (value === undefined) return this.#unknown(codes)
    if (known === undefined) this.#warn('ENUM_UNKNOWN')
    if (value === null || value === '') return this.#default()
    const { type } = this.#column
    const plain = typeof value === 'number' && (type === undefined || type === 'text')
    return { cell: plain ? value : this.#typed(String(value)), own: text !== null, isDefault: false }
  }

  #unknown({ name, quiet }: NonNullable<Column['codes']>): Mapped {
    const { onUnknown } = this.#column
    if (quiet) return NOTHING
    if (onUnknown === 'fail') {
      this.#fail('ENUM_UNKNOWN', `has a code that is not in ${name}`)
      return { cell: '', own: true, isDefault: false }
    }
    this.#warn('ENUM_UNKNOWN')
    return onUnknown === 'default' ? this.#default() : NOTHING
  }

  #default(): Mapped {
    const value = this.#column.default
    this.#isIso = true
    if (value === undefined) return NOTHING
    if (typeof value === 'number' && (this.#column.type === undefined || this.#column.type === 'text'))
      return { cell: value, own: false, isDefault: true }
    return { cell: this.#typed(String(value)), own: false, isDefault: true }
  }

  #typed(text: string): Cell {
    const { formats } = this.#column
    const column =
      this.#isIso && formats.length > 0
        ? { ...this.#column, formats: [...formats, ISO_FORMAT] }
        : this.#column
    return typed(text, column, () => this.#warn('VALUE_CUT'))
  }
}
