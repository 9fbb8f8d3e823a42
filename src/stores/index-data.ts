/** The sections of an index that lead from names to lists, in artdaq's order; `ouid` stands before them. */
export const SECTIONS = [
  'version',
  'configurations.name',
  'entities.name',
  'aliases.active.name',
  'runs.name',
  'configurations.assigned',
] as const

export type Section = (typeof SECTIONS)[number]
/** A table as data alone, which can cross from one thread to another. */
export interface TableData {
  readonly size: number
  readonly bytes: Uint8Array
  readonly width: number
  readonly starts: Uint32Array
}

/** A section as data alone, without the table of its items. */
export interface NameListsData {
  readonly names: TableData
  readonly order: Uint32Array
  readonly starts: Uint32Array
  readonly items: Uint32Array
}

/** An index as data alone: another thread has it at once, without reading the file again. */
export interface IndexData {
  readonly documents: TableData
  readonly stamps: TableData
  readonly ouid: Uint32Array
  readonly sections: Readonly<Record<Section, NameListsData>>
}

/** The database that holds a run, and its indexes: for another thread, which then needs to read none of them. */
export interface RunPlace {
  /** The database's directory. */
  readonly path: string
  readonly indexes: readonly HeldIndex[]
}

/** An index that was read, as data alone: for another thread, which takes it while the file's status (`key`) is the same. */
export interface HeldIndex {
  /** The collection. */
  readonly name: string
  readonly key: string
  readonly data: IndexData
}
