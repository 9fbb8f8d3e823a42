import type { Listing, SourceListing } from '../stores/store.ts'
import type { Archiver } from './archiver.ts'
import { passListing } from './listing-cache.ts'

/** How the three places are listed. Each throws what its store throws. */
export interface Listings {
  records(): Promise<SourceListing>
  artdaq(): Promise<Listing>
  archive(): Promise<Listing>
}

/** Each place from its beginning to its end, whatever was listed before: for who wants to know, not to be fast. */
export const listedAnew = ({ records, artdaq, archive }: Archiver): Listings => ({
  records: () => records.list(),
  artdaq: () => artdaq.list(),
  archive: () => archive.list(),
})

/**
 * As passes list them: by what the last pass saved, while the fingerprint of a place is the same. For who looks again and again, as the page does: a million
 * runs cost some stats then, and no memory that grows with them. Takes no lock and saves nothing.
 */
export const listedSince = ({ cache, records, artdaq, archive }: Archiver): Listings => ({
  records: () => cache.list<SourceListing>('run-records', records),
  artdaq: () => cache.list<Listing>('artdaq', passListing(artdaq)),
  archive: () => cache.list<Listing>('archive', archive),
})

/** The same listings. While a place is being listed, its name stands in `unanswered`. */
export const observed = (listings: Listings, unanswered: Set<string>): Listings => {
  const watch = async <T>(place: string, list: () => Promise<T>): Promise<T> => {
    unanswered.add(place)
    try {
      return await list()
    } finally {
      unanswered.delete(place)
    }
  }
  return {
    records: () => watch('run records', () => listings.records()),
    artdaq: () => watch('artdaqDB', () => listings.artdaq()),
    archive: () => watch('UconDB', () => listings.archive()),
  }
}
