import { adler32 } from '../../src/common/adler32.ts'

export interface Version {
  readonly id: number
  readonly object: string
  key: string | null
  readonly tags: string[]
  readonly tv: number
  /** Epoch seconds with microseconds: when the request that made it began. */
  readonly tr: number
  deleted: boolean
  readonly data_key: string
  readonly data_size: number
  readonly adler32: number
}

/** A UconDB folder in memory: versions with keys unique in an object, blobs shared by content. */
export class Folder {
  readonly versions: Version[] = []
  readonly #blobs: Buffer[] = []
  readonly #byContent = new Map<string, string>()
  readonly #byKey = new Map<string, Version>()

  constructor(
    /** With its namespace: `public.test01`. */
    readonly name: string,
    /** Versions that are only made up when they are listed: run 1 to this number, of object `configuration`. */
    readonly synthetic = 0,
  ) {}

  find(object: string, key: string): Version | undefined {
    return this.#byKey.get(`${object}\0${key}`)
  }

  blob(dataKey: string): Buffer | undefined {
    return this.#blobs[Number(dataKey) - 1]
  }

  has(object: string): boolean {
    return (
      this.synthetic > 0 || this.versions.some((version) => version.object === object && !version.deleted)
    )
  }

  /** Stores a version; takes a key that is taken away from its version. Says which version it is. */
  store(
    object: string,
    key: string | null,
    bytes: Buffer,
    { tr, tv = 0, tags = [] }: { tr: number; tv?: number; tags?: string[] },
  ): Version {
    const content = bytes.toString('latin1')
    const dataKey = this.#byContent.get(content) ?? String(this.#blobs.push(bytes))
    this.#byContent.set(content, dataKey)
    const version: Version = {
      id: this.versions.length + 1,
      object,
      key,
      tags: [...new Set(tags)].sort(),
      tv,
      tr,
      deleted: false,
      data_key: dataKey,
      data_size: bytes.length,
      adler32: adler32(bytes),
    }
    if (key !== null) {
      const before = this.find(object, key)
      if (before) before.key = null
      this.#byKey.set(`${object}\0${key}`, version)
    }
    this.versions.push(version)
    return version
  }

  /** What `/versions` gives, newest first. */
  *list(
    object: string,
    now: number,
    { tv, tr, since }: { tv?: number; tr?: number; since?: number },
  ): Generator<Version> {
    for (let run = this.synthetic; run > 0; run--) yield madeUp(run, object)
    const listed = this.versions.filter(
      (version) =>
        version.object === object &&
        !version.deleted &&
        version.tv <= (tv ?? now) &&
        version.tr <= (tr ?? Infinity) &&
        version.tr > (since ?? -Infinity),
    )
    yield* listed.sort((a, b) => b.tr - a.tr || a.tv - b.tv)
  }

  /** The metadata as the server prints it: Python's separators, floats with a point, ASCII. */
  print(version: Version): string {
    const { id, object, key, tags, tv, tr, data_key, data_size, adler32: sum } = version
    const names = tags.map(quoted).join(', ')
    return (
      `{"object": ${quoted(object)}, "folder": ${quoted(this.name)}, "tv": ${float(tv)}, "tr": ${float(tr)}, ` +
      `"tags": [${names}], "adler32": ${sum}, "uadler32": ${sum}, "data_size": ${data_size}, ` +
      `"data_key": ${quoted(data_key)}, "id": ${id}, "key": ${key === null ? 'null' : quoted(key)}}`
    )
  }
}

const madeUp = (run: number, object: string): Version => ({
  id: run,
  object,
  key: `${run}`,
  tags: [`${run}`],
  tv: 0,
  tr: 1_700_000_000 + run / 10,
  deleted: false,
  data_key: `${run}`,
  data_size: 60_000,
  adler32: (run * 2_654_435_761) % 4_294_967_296,
})

const float = (value: number): string => (Number.isInteger(value) ? `${value}.0` : `${value}`)

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
