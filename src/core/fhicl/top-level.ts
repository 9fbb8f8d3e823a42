import type { FhiclValue, Parameter } from './document.ts'

/**
 * The parameters outside any table. Both of two equal names are kept; but one in the prolog goes when the name comes
 * again outside it, one for one, the first first. Protection does not hold here.
 */
export class TopLevel {
  readonly main: Parameter[] = []
  readonly #prolog: Parameter[] = []
  /** By name: how many stand in the prolog, and how many of them went. */
  readonly #counts = new Map<string, { kept: number; gone: number }>()

  bindInProlog(key: string, value: FhiclValue): void {
    this.#prolog.push({ key, value })
    const count = this.#counts.get(key)
    if (count) count.kept++
    else this.#counts.set(key, { kept: 1, gone: 0 })
  }

  bind(key: string, value: FhiclValue): void {
    const count = this.#counts.get(key)
    if (count !== undefined && count.kept > 0) {
      count.kept--
      count.gone++
    }
    this.main.push({ key, value })
  }

  /** What is left of the prolog. */
  prolog(): readonly Parameter[] {
    const gone = new Map([...this.#counts].map(([key, count]) => [key, count.gone]))
    return this.#prolog.filter(({ key }) => {
      const left = gone.get(key) ?? 0
      if (left > 0) gone.set(key, left - 1)
      return left === 0
    })
  }
}
