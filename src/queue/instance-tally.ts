import type { InstanceTally } from '../engine/claim-store.ts'

/** Counts what this process does as an instance. */
export class Tally implements InstanceTally {
  readonly instance: string
  claims = 0
  fenced = 0
  recovered = 0

  constructor(instance: string) {
    this.instance = instance
  }
}
