import type { Compared } from '../proof.ts'

export interface CopyFile {
  readonly name: string
  readonly size: number
  readonly digest: string | undefined
}

/** A copy of a run in one place. `absent`: the place was read and does not hold it. */
export type RunCopy =
  | { readonly is: 'absent' | 'unknown'; readonly why?: string }
  | {
      readonly is: 'present'
      readonly where: string
      readonly files: readonly CopyFile[]
      readonly bytes: number
      /** SHA-256 of the copy as a whole, where the place has one. */
      readonly digest: string | undefined
      readonly note: string | undefined
    }

export interface RunCopies extends Compared {
  readonly record: RunCopy
  readonly artdaq: RunCopy
  readonly archive: RunCopy
}
