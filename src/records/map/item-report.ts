import { ItemError, type ItemCode, type ItemPlace, type ItemWarning } from '../item-error.ts'

const MOST = 20

/** What is found while one item is mapped: every error up to 20, and what was left out or changed. */
export class ItemReport {
  readonly warnings: ItemWarning[] = []
  readonly #errors: ItemError[] = []

  fail(code: ItemCode, message: string, place: ItemPlace): void {
    if (this.#errors.length < MOST) this.#errors.push(new ItemError(code, message, place))
  }

  warn(warning: ItemWarning): void {
    this.warnings.push(warning)
  }

  /** Throws the first error with the others behind it, where there is one. */
  throwIfFailed(): void {
    const [first, ...others] = this.#errors
    if (first) throw new ItemError(first.code, first.message, first.place, others)
  }
}
