import type { RunPlace } from './index-data.ts'
import type { DiskRoom } from '../platform/disk-room.ts'
import type { RunSet } from '../common/run-set.ts'
import type {
  Readiness,
  RecordManifest,
  RunDocument,
  RunDocuments,
  RunRecord,
  StoredRun,
} from './run-record.ts'

/** What a destination says it holds. Listing never creates or changes anything. */
export interface Listing {
  /** Runs that are there whole. */
  readonly runs: RunSet
  /** Runs of which only a part is there: a killed insert, a lost index entry, a document that is gone. */
  readonly incomplete: RunSet
  /** How often a run was stored again after its record had changed. A run that is not named here never was. */
  readonly updates: ReadonlyMap<number, number>
  /** Runs that another program may have stored. Missing where that is not known. */
  readonly foreign?: RunSet
  /** Paths of blobs and folders that are ours and stand where no reader looks for them: copies. Missing where there can be none. */
  readonly misplaced?: readonly string[]
  /** What a person should know: orphans, duplicates, keys that are no run. One sentence each. */
  readonly notes: readonly string[]
}

/** What the source directory holds. */
export interface SourceListing {
  /** Every run with exactly one directory, whether its record is ready or not. */
  readonly runs: RunSet
  /** Runs that two or more directories claim (`123` and `000123`): none of them is read. */
  readonly ambiguous: RunSet
  /** Entries that are no run records, with the reason. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[]
  /** Runs by the number of digits of their directories' names; 0: no zeros before the number. Missing where no directory is behind it. */
  readonly widths?: ReadonlyMap<number, RunSet>
}

/** What a document says of itself that the index repeats. Strings are byte strings, escaped as in the document's JSON. */
export interface IndexFacts {
  readonly oid: string
  readonly version: string
  readonly configurations: readonly { readonly name: string; readonly assigned: string }[]
  readonly entities: readonly string[]
  readonly aliases: readonly string[]
  readonly runs: readonly string[]
}

/** How a record is read. */
export interface ReadOptions {
  /** Bytes for which there is room; RECORD_CHANGING where the record has more by now. */
  readonly most?: number | undefined
  /** A record that this takes is given as it was read, without a second look at whether it moved meanwhile. For who compares it with what is known. */
  readonly isExpected?: ((record: RunRecord) => boolean) | undefined
}

/** What the import stage needs of the run record directory. */
export interface RecordSource {
  /** Throws SOURCE_UNAVAILABLE when the directory is missing or cannot be read: never an empty listing instead. */
  list(): Promise<SourceListing>
  /** Takes over a listing that was taken while the fingerprint was this one, so that directories are found by it. */
  adopt?(listing: SourceListing, fingerprint: string): void
  readiness(run: number): Promise<Readiness>
  /** Reads a record whole. Throws RECORD_CHANGING when it moved meanwhile, RECORD_INVALID with the path when it cannot be read. */
  read(run: number, signal: AbortSignal, options?: ReadOptions): Promise<RunRecord>
  /** Equal texts mean that no entry came or went in between; undefined while that cannot be seen. One stat. */
  fingerprint(): Promise<string | undefined>
  /** The path of a run's directory. Throws as `readiness` does, and NOT_FOUND. */
  pathOf(run: number): Promise<string>
}

/** Where a run is to be written that a store knows nothing of. Data alone, as is `NewRun`: both can cross from one thread to another. */
export interface NewRunPlace {
  /** The database's directory. */
  readonly database: string
  /** Epoch milliseconds, for every stamp of the documents. */
  readonly time: number
}

/** A run whose documents are written, all of them, and wait for their place in the indexes. */
export interface NewRun {
  readonly run: number
  readonly manifest: RecordManifest | undefined
  /** What a person should know of its record. */
  readonly notes?: readonly string[]
  /** As in `RunDocuments`. */
  readonly losses?: readonly string[]
  readonly documents: readonly { readonly collection: string; readonly facts: IndexFacts }[]
}

/** Gives the listing that is remembered under a name while the fingerprint is the same, else takes it anew. */
export type Remember = (
  name: string,
  listed: {
    readonly list: () => Promise<Listing>
    readonly fingerprint: () => Promise<string | undefined>
  },
) => Promise<Listing>

/** What a put did. */
export type PutResult = 'stored' | 'present' | 'updated'

/**
 * Called before a run of another program is given documents that it lacks. Returns them as they are to be written; what it throws ends the put, and
 * nothing is written.
 */
export type Completing = (lacking: readonly RunDocument[]) => Promise<readonly RunDocument[]>

/** What both stages need of artdaqDB. Nothing that `put` was given counts as stored before `commit` has returned. */
export interface DocumentStore {
  list(): Promise<Listing>
  /** As `list`, but of parts that are only read any more what is remembered of them counts, while nothing in them has changed. Missing where there are none. */
  listRemembered?(): Promise<Listing>
  /** Where a run is, with the indexes there, for another thread (`knowing`). Undefined where the store does not hold it; missing where it has no indexes. */
  placeOf?(run: number): Promise<RunPlace | undefined>
  /** Does work on a run of which another thread has said where it is. */
  knowing?<T>(run: number, place: RunPlace, work: () => Promise<T>): Promise<T>
  /**
   * Writes a run's documents. `present`: all of it is there with the same content. `updated`: the run was there, its
   * record has changed since, and the change was stored beside it. Completes what is there in part. Never overwrites.
   */
  put(documents: RunDocuments, signal: AbortSignal, completing?: Completing): Promise<PutResult>
  /**
   * Has `write` write a run that the store knows nothing of, on whatever thread, and takes it on as `put` would. Undefined, and nothing is
   * written, where there is any trace of the run: then `put` decides what is missing. Missing in stores that others write for us.
   */
  putNew?(
    run: number,
    write: (place: NewRunPlace) => Promise<NewRun>,
    signal: AbortSignal,
  ): Promise<NewRun | undefined>
  commitDue(): boolean
  commit(): Promise<void>
  /** Throws NOT_FOUND, or STORE_CORRUPT when a document of the run is missing or damaged. */
  read(run: number, signal: AbortSignal): Promise<StoredRun>
  /**
   * For whoever gives a run away that was read: throws STORE_CORRUPT where a file that says nothing of itself may be an update of it. A pass does not ask:
   * it compares the run with its record. Missing in stores where nothing can be hidden so.
   */
  requireNewest?(stored: StoredRun): Promise<void>
  /**
   * Writes a run's damaged documents again, as they were stored, where a seal proves each byte; the damaged ones are kept beside. Returns a sentence for
   * each. Missing in stores that have no seals.
   */
  mend?(run: number): Promise<readonly string[]>
  /** Bytes of a run's documents on disk, before they are read; 0 where that is not known. Missing where it is not known cheaply. */
  sizeOf?(run: number): Promise<number>
  /** The same of all its documents, a look at each; missing where that is not to be had. */
  bytesOf?(run: number): Promise<number>
  /** The room on the disk that new runs are written to; missing or undefined where that is not a disk of this host. */
  room?(): Promise<DiskRoom | undefined>
  /** The newest manifest of a run; undefined for runs that other programs stored. */
  manifest(run: number): Promise<RecordManifest | undefined>
  /** The same for who asks for one run now and then: no index is read whole for it. Throws NOT_FOUND where the run does not count. Missing where nothing is gained. */
  manifestAlone?(run: number): Promise<RecordManifest | undefined>
  /** Equal texts mean that nothing was stored or taken away in between; undefined where that cannot be found out cheaply. */
  fingerprint(): Promise<string | undefined>
  /** Files and directories whose size and times show every change; missing where there are none, as behind a network. */
  trail?(): Promise<readonly string[]>
  probe(signal: AbortSignal): Promise<void>
}

/** What the migrate stage needs of the long-term archive: one object, a blob for each key, nothing ever overwritten. */
export interface Archive {
  /** Throws INTERRUPTED where the program was stopped meanwhile; so does `fingerprint`. */
  list(): Promise<Listing>
  /**
   * As `list`, but what is kept of parts that have not changed counts. Returns what to keep for the next time: JSON that only this store reads. Any other
   * `kept` counts as nothing. Missing where a listing has no parts.
   */
  listSince?(kept: unknown): Promise<{ readonly listing: Listing; readonly kept: unknown }>
  /**
   * Of these runs, each with the update of its blob, those that are held though a listing does not name them: UconDB lists no version that is marked
   * as deleted, and gives it all the same. A thousand at a time. Missing where a listing names all.
   */
  unlisted?(wanted: ReadonlyMap<number, number>): Promise<RunSet>
  /**
   * Puts a blob under the run's key (`update` 0) or beside it (`update` n), durably, and compares what the archive holds
   * with it. `present`: the same record, apart from the times of packing, is there. Throws CONFLICT when another is.
   */
  put(run: number, update: number, blob: Buffer, signal: AbortSignal): Promise<'stored' | 'present'>
  /** The newest blob of a run, or the one of an update. Throws NOT_FOUND; STORE_CORRUPT when its checksum does not fit. */
  get(run: number, update: number | 'newest', signal: AbortSignal): Promise<Buffer>
  /** The room on the disk that blobs are written to; missing or undefined where that is not a disk of this host. */
  room?(): Promise<DiskRoom | undefined>
  fingerprint(): Promise<string | undefined>
  /** Files and directories whose size and times show every change; missing where there are none, as behind a network. */
  trail?(): Promise<readonly string[]>
  probe(signal: AbortSignal): Promise<void>
}
