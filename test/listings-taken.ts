import { vi } from 'vitest'
import { FileSystemDb } from '../src/stores/artdaqdb/filesystem-db.ts'
import { RunRecords } from '../src/stores/run-records/source.ts'
import { DirectoryArchive } from '../src/stores/ucondb/directory/archive.ts'

/** From now on, how often a place was listed from its first to its last name. The listings are taken as ever; `vi.restoreAllMocks` ends the counting. */
export const listingsTaken = (): (() => number) => {
  const spies = [
    vi.spyOn(RunRecords.prototype, 'list'),
    vi.spyOn(FileSystemDb.prototype, 'list'),
    vi.spyOn(FileSystemDb.prototype, 'listRemembered'),
    vi.spyOn(DirectoryArchive.prototype, 'list'),
    vi.spyOn(DirectoryArchive.prototype, 'listSince'),
  ]
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
}
