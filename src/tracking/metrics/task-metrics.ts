import type { Family } from './families.ts'

type Labels = Readonly<Record<string, string>>

/** One number that a task counts. */
export interface TaskSeries {
  readonly family: Family
  readonly labels: Labels
  readonly value: number
  readonly isCounter: boolean
}

/** Numbers of a task that is no pass over runs: rows of a table, payloads of records. Labels hold names of a fixed set, never a file or an item. */
export class TaskMetrics {
  readonly #series = new Map<string, TaskSeries>()

  get series(): readonly TaskSeries[] {
    return [...this.#series.values()]
  }

  /** So many more. */
  add(family: Family, labels: Labels, more: number): void {
    const key = keyOf(family, labels)
    this.#series.set(key, {
      family,
      labels,
      value: (this.#series.get(key)?.value ?? 0) + more,
      isCounter: true,
    })
  }

  /** How it stands now. NaN: it is not known, and what was known before does not stand for it. */
  set(family: Family, labels: Labels, value: number): void {
    this.#series.set(keyOf(family, labels), { family, labels, value, isCounter: false })
  }
}

const keyOf = (family: Family, labels: Labels): string => `${family} ${JSON.stringify(labels)}`
