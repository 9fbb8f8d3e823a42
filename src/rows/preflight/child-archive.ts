/** `schema.` (empty where there is none) and the name after it. */
const parts = (name: string): readonly [string, string] => {
  const dot = name.indexOf('.')
  return [name.slice(0, dot + 1), name.slice(dot + 1)]
}

/**
 * The archive of a child that has none in the configuration: its name with what the parent's archive adds to the parent's, before or behind, in the
 * schema of the parent's archive. Undefined where the parent's archive is named in another way.
 */
export const archiveNameOf = (
  child: string,
  { table, archiveTable }: { readonly table: string; readonly archiveTable: string },
): string | undefined => {
  const [, parent] = parts(table)
  const [schema, archive] = parts(archiveTable)
  const [childSchema, name] = parts(child)
  const place = schema === '' ? childSchema : schema
  if (archive.startsWith(parent)) return `${place}${name}${archive.slice(parent.length)}`
  if (archive.endsWith(parent)) return `${place}${archive.slice(0, -parent.length)}${name}`
  return undefined
}
