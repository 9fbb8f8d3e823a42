import type { PrintedParts } from '../fhicl/to-json.ts'

/** One regular file of a run record, as bytes. */
export interface RecordFile {
  /** Path inside the record, `/` between folders, escaped by `nameOf` (common/file-name-encoding.ts). */
  readonly name: string
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number
  readonly content: Buffer
}

/** A folder inside a record (DAQInterface makes none, people do). */
export interface RecordFolder {
  readonly name: string
  readonly mode: number
}

/** Something in a record that is not read: a link, a FIFO, a socket, a device. Always reported, never dropped silently. */
export interface SkippedEntry {
  readonly name: string
  readonly kind: 'link' | 'fifo' | 'socket' | 'device' | 'unknown'
}

/** A run record, read whole, with the proof that it did not move while it was read (statted before and after). */
export interface RunRecord {
  readonly run: number
  /** The directory's own name, `000123` for run 123 at Mu2e. */
  readonly directory: string
  readonly directoryMode: number
  /** In byte order of the names. */
  readonly files: readonly RecordFile[]
  readonly folders: readonly RecordFolder[]
  readonly skipped: readonly SkippedEntry[]
  /** Whether metadata.txt has a stop line; false means that the record was archived incomplete. */
  readonly ended: boolean
  /** Changes when any of the record changes: for noticing, cheaply, that a record moved after it was archived. */
  readonly signature: string
}

/** Whether a record may be archived now. */
export type Readiness =
  | { readonly ready: true; readonly ended: boolean; readonly signature: string }
  | {
      readonly ready: false
      readonly reason: 'copying' | 'settling' | 'running' | 'started' | 'damaged' | 'gone'
      readonly detail: string
    }

/** What the archiver needs to give a record back byte for byte, and to say whether all of it is there. */
export interface RecordManifest {
  readonly run: number
  readonly directory: string
  readonly directoryMode: number
  readonly ended: boolean
  readonly signature: string
  readonly folders: readonly RecordFolder[]
  readonly skipped: readonly SkippedEntry[]
  readonly files: readonly {
    readonly name: string
    readonly mode: number
    /** Bytes. */
    readonly size: number
    /** Lower-case hexadecimal. */
    readonly sha256: string
  }[]
}

/** One FHiCL document of a run, as it goes into artdaqDB. */
export interface RunDocument {
  readonly collection: 'RunHistory' | 'SystemLayout'
  /** The document's name in artdaqDB: a file's name without `.fcl`. Unique in a collection of one run. */
  readonly entity: string
  /** FHiCL that artdaq accepts: ASCII, never empty text. An empty table where nothing can be said in FHiCL. */
  readonly fhicl: string
  /** The same as artdaq's JSON, where whoever made the document has converted it already. */
  readonly printed?: PrintedParts | undefined
  /** The document as the archive's blob carries it (`blob_content: original`): the file's own bytes, or the converted text. */
  readonly text: Buffer
  /** The file of the record that the document was made from; RunHistory and schema have none. */
  readonly original: RecordFile | undefined
  /** What the Python original makes of the same file, where that may be something else. What it stored is compared with this, too. */
  readonly originalForm?: (() => string | undefined) | undefined
  /** What was made of it, by us and by the Python original, before the record's start and stop times were appended. Missing where they do not change it. */
  readonly earlierForms?: (() => readonly string[]) | undefined
}

/** A run as it goes into, and comes back from, artdaqDB. */
export interface RunDocuments {
  readonly run: number
  /** The configuration's name without the run, in characters that are safe for artdaq's tools. */
  readonly configName: string
  readonly documents: readonly RunDocument[]
  /** Files that no document carries (rc_info_*.txt, unknown and binary files). */
  readonly attached: readonly RecordFile[]
  /** Missing for runs that other programs stored. */
  readonly manifest: RecordManifest | undefined
  /** What a person should know of the record. */
  readonly notes?: readonly string[]
  /** What artdaq's own tools give otherwise than the record has it: one sentence each, naming the file. */
  readonly losses?: readonly string[]
}

/** A document as it was read back from artdaqDB. */
export interface StoredDocument extends RunDocument {
  /** The text that artdaq's own export gives (`blob_content: canonical`). */
  canonical(): string
}

/** A run as it was read back from artdaqDB; `update` counts how often it was stored again after its record had changed. */
export interface StoredRun extends RunDocuments {
  readonly documents: readonly StoredDocument[]
  readonly update: number
  /** Another program stored it, and its list of digests is gone (`hasLostHashes`). */
  readonly hasLostHashes?: boolean
}
