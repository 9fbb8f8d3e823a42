import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** A fresh folder for each test of a file, gone afterwards. */
export const temporaryFolder = (): { readonly path: string; readonly in: (name: string) => string } => {
  const folder = { path: '', in: (name: string): string => join(folder.path, name) }
  beforeEach(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'archiver-state-'))
  })
  afterEach(() => rm(folder.path, { recursive: true, force: true }))
  return folder
}
