/** The entity in which artdaq's `conftool` and the Python original keep a digest of each document that they store with a run. */
export const HASHES = 'hashes'

/**
 * The entities that such a document names, from its FHiCL as artdaq's export prints it: all that was stored, for files that no pattern of the site's
 * schema matches are left out. It names neither `schema` nor what an update adds.
 */
export const hashedEntities = (fhicl: string): ReadonlySet<string> =>
  new Set(
    [...fhicl.matchAll(/^([A-Za-z0-9_]+): "?[0-9a-f]{32}\b/gm)]
      .map(([, entity = '']) => entity)
      .filter((entity) => entity !== 'configuration'),
  )
