import { isSafeEntity, safeEntity } from './safe-name.ts'

/**
 * Gives each document of a run a name of its own (docs/FORMATS.md, "Conversion of text files"): `tpc01.fcl` is `tpc01`, a file in
 * a folder has `.` for each `/` (`old/tpc01.fcl`: `old.tpc01`), other characters than letters, digits and `_.+-` become `_`,
 * and a name that is taken gets `.2`, `.3` and so on. Letter case counts.
 */
export class Entities {
  readonly #taken: Set<string>
  /** The number that a name was given last, so that the next search goes on there. */
  readonly #last = new Map<string, number>()

  /** `reserved`: names of the documents that the archiver itself makes. */
  constructor(reserved: Iterable<string>) {
    this.#taken = new Set(reserved)
  }

  /** The documents' names, in the order of the files. A name that a file has already goes to that file. */
  of(fileNames: readonly string[]): string[] {
    const wanted = fileNames.map(withoutEnding)
    const own: (string | undefined)[] = []
    for (const name of wanted) own.push(isSafeEntity(name) && this.#take(name) ? name : undefined)
    const names: string[] = []
    for (const [index, name] of wanted.entries())
      names.push(own[index] ?? this.#free(safeEntity(name.replaceAll('/', '.'))))
    return names
  }

  #free(name: string): string {
    let free = name
    let number = this.#last.get(name) ?? 1
    // Two dots side by side are in no safe name.
    while (!this.#take(free)) free = `${name.replace(/\.$/, '_')}.${++number}`
    this.#last.set(name, number)
    return free
  }

  #take(name: string): boolean {
    if (this.#taken.has(name)) return false
    this.#taken.add(name)
    return true
  }
}

const withoutEnding = (fileName: string): string => fileName.slice(0, -'.fcl'.length)
