import { nameOf } from '../../common/file-name-encoding.ts'
import type { SourceListing } from '../store.ts'
import { RunSet } from '../../common/run-set.ts'

const RUN = /^(0*)([1-9][0-9]{0,14})$/

/** The run that a directory name stands for: decimal, zeros before it or not (Mu2e pads to six digits). Nothing else is one. */
export const runOfName = (name: string): number | undefined => {
  const digits = RUN.exec(name)?.[2]
  return digits === undefined ? undefined : Number(digits)
}

/** What an entry of the run record directory is, as far as its directory entry says. */
export type EntryKind = 'directory' | 'link' | 'other'

/**
 * Collects the entries of a run record directory. Memory follows the gaps in the run numbers, not the number of runs: a
 * directory's name is made from its run and its length.
 */
export class RecordNames {
  readonly #runs = new Map<number, number[]>() // by length of the name; 0: without zeros before it
  readonly #byWidth = new Map<number, RunSet>()
  readonly #ignored: { name: string; reason: string }[] = []

  /** `name`: the bytes of the name, one character each. */
  add(name: string, kind: EntryKind): void {
    const run = runOfName(name)
    if (run !== undefined && kind === 'directory') {
      const width = name.startsWith('0') ? name.length : 0
      const runs = this.#runs.get(width)
      if (runs) runs.push(run)
      else this.#runs.set(width, [run])
    } else
      this.#ignored.push({ name: nameOf(Buffer.from(name, 'latin1')), reason: reasonFor(name, run, kind) })
  }

  /** As they were listed: see `SourceListing.widths`. */
  static of(widths: ReadonlyMap<number, RunSet>): RecordNames {
    const names = new RecordNames()
    for (const [width, runs] of widths) names.#byWidth.set(width, runs)
    return names
  }

  /** To be called once, when all entries were added. */
  listing(): SourceListing {
    let all = RunSet.EMPTY
    let ambiguous = RunSet.EMPTY
    for (const [width, numbers] of this.#runs) {
      const runs = RunSet.of(numbers)
      this.#byWidth.set(width, runs)
      ambiguous = ambiguous.union(all.intersect(runs))
      all = all.union(runs)
    }
    this.#runs.clear()
    return { runs: all.minus(ambiguous), ambiguous, ignored: this.#ignored, widths: this.#byWidth }
  }

  /** The directories of a run, after `listing`: one, several (ambiguous) or none. */
  directoriesOf(run: number): string[] {
    return [...this.#byWidth]
      .filter(([, runs]) => runs.has(run))
      .map(([width]) => String(run).padStart(width, '0'))
      .sort((a, b) => a.length - b.length)
  }
}

const reasonFor = (name: string, run: number | undefined, kind: EntryKind): string => {
  if (run === undefined)
    return name === '.record_directory_info'
      ? "DAQInterface's note of this directory"
      : 'its name is no run number'
  return kind === 'link' ? 'a link, which is not followed' : 'no directory'
}
