/** Who makes a database, for its one record about itself. Nothing reads it. */
export interface Maker {
  /** `$USER`, empty when unset. */
  readonly user: string
  readonly locale: string
  readonly uname: {
    readonly sysname: string
    readonly nodename: string
    readonly release: string
    readonly version: string
    readonly machine: string
  }
}

/** The text of the record in `SystemMetadata`: one line without a line end, its blanks as artdaq sets them. */
export function metadataRecord(path: string, oid: string, created: string, maker: Maker): string {
  const { sysname, nodename, release, version, machine } = maker.uname
  const document = {
    name: 'artdaq',
    uri: `filesystemdb://${path}`,
    locale: maker.locale,
    create_time: created,
    create_user: maker.user,
    uname: { sysname, nodename, release, version, machine },
    database_format: 3,
  }
  return `{"document":${JSON.stringify(document)},"_id": { "$oid":"${oid}"}}`
}
