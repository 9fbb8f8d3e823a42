/** What a document says of itself that the index repeats. Strings are byte strings, escaped as in the document's JSON. */
export interface IndexFacts {
  readonly oid: string
  readonly version: string
  readonly configurations: readonly { readonly name: string; readonly assigned: string }[]
  readonly entities: readonly string[]
  readonly aliases: readonly string[]
  readonly runs: readonly string[]
}
