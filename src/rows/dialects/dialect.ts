import type { Session } from '../../sql/session.ts'
import type { Child, Column, Key, Pair, Table } from '../table.ts'

/** A live row that stays, with what differs from its twin. */
export interface Leftover {
  readonly key: Key
  /** Columns whose values are not identical. */
  readonly differing: readonly string[]
}

/** A row of a child table with the parent it refers to. */
export interface ChildKey {
  readonly key: Key
  readonly parent: Key
}

export type Side = 'source' | 'archive'

/** A row as texts that give back its values exactly, by column: JSON for people and for a second look. */
export type RowTexts = Readonly<Record<string, string | null>>

/**
 * The SQL of one kind of server. Every statement names ids, never a range; a delete always joins the archive on the identity of all columns.
 * Each function is one or two statements in the caller's transaction.
 */
export interface Dialect {
  quote(name: string): string
  describe(session: Session, name: string): Promise<Table | undefined>
  /** The tables that rows of this table or view come from, each by one name that is the same on every connection of the server. */
  basesOf(session: Session, table: Table): Promise<readonly string[]>
  begin(session: Session): Promise<unknown>
  /** The fast path, with the begin of its transaction: true only when every id was copied now and its live row deleted as identical, and both tables have their shapes. False: the caller rolls back. */
  moveAll(session: Session, pair: Pair, keys: readonly Key[]): Promise<boolean>
  /** The same without the delete, in a transaction that began: true only when every id was copied now. */
  copyAll(session: Session, pair: Pair, keys: readonly Key[]): Promise<boolean>
  /** How many live rows the pair's condition holds for, without locks. */
  countLive(session: Session, pair: Pair): Promise<number>
  /** The next keys after `last`, in the key's order, of live rows for which the pair's condition holds; without locks. `from` is a part of the table. */
  nextKeys(
    session: Session,
    pair: Pair,
    last: Key | undefined,
    limit: number,
    from?: string,
  ): Promise<readonly Key[]>
  /** Which of the keys are there (live rows: for which the pair's condition holds); `lock` keeps the rows as they are until the transaction ends. */
  present(
    session: Session,
    pair: Pair,
    side: Side,
    keys: readonly Key[],
    lock: boolean,
  ): Promise<readonly Key[]>
  /** Live rows of a child table that refer to these parents; `lock` as above. */
  childrenOf(
    session: Session,
    pair: Pair,
    child: Child,
    parents: readonly Key[],
    lock: boolean,
  ): Promise<readonly ChildKey[]>
  /** Copies live rows within one server. Never ignores an error. */
  copy(session: Session, pair: Pair, keys: readonly Key[]): Promise<number>
  /** Deletes the live rows that have an identical twin; gives how many. */
  deleteIdentical(session: Session, pair: Pair, keys: readonly Key[]): Promise<number>
  /** Live rows that have a twin, with the columns that differ; none differs: identical. */
  compare(session: Session, pair: Pair, keys: readonly Key[]): Promise<readonly Leftover[]>
  /** Rows as exact texts. */
  read(
    session: Session,
    pair: Pair,
    side: Side,
    keys: readonly Key[],
    lock: boolean,
  ): Promise<ReadonlyMap<string, RowTexts>>
  /** Writes rows that `read` gave to the archive. */
  write(session: Session, pair: Pair, rows: readonly RowTexts[]): Promise<number>
  /** Deletes rows by key alone: for callers that compared them under a lock. */
  deleteLocked(session: Session, pair: Pair, side: Side, keys: readonly Key[]): Promise<number>
  /** Has everything done now that the server would do at the commit. */
  settleDeferred(session: Session): Promise<unknown>
  /** An exact text as a person reads it. */
  readable(column: Column, text: string | null): string | null
  /** The exact text that `readable` came from, for a column that a file of texts can keep. */
  exactOf(column: Column, shown: string | null): string | null
  /** A point inside a transaction to go back to after an error. */
  savepoint(session: Session): Promise<unknown>
  toSavepoint(session: Session): Promise<unknown>
  /** The SQL that finds the rows of a child table, for `rows plan`. */
  childStatement(pair: Pair, child: Child, parents: readonly Key[]): string
  /** The SQL of a batch, for `rows plan`: the statements with the ids put in. */
  statements(pair: Pair, keys: readonly Key[]): readonly string[]
}

/** What kind of trouble an error of a server is. */
export type Trouble = 'transient' | 'duplicate' | 'data' | 'critical'
