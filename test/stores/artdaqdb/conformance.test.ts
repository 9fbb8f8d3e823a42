import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { documentStoreConformance } from '../../conformance/document-store.ts'
import { MemoryDocumentStore } from '../../fakes/document-store.ts'
import { openDb } from './runs.ts'
import { standInTools } from './tools/stand-in-tools.ts'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'artdaq-'))
  folders.push(folder)
  return folder
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

documentStoreConformance('the native store', {
  keepsOriginals: true,
  make: () => {
    const path = join(newFolder(), 'db')
    return Promise.resolve({ store: openDb(path), reopen: () => openDb(path) })
  },
})

documentStoreConformance("artdaq's tools on this host", {
  keepsOriginals: false,
  make: () => {
    const tools = standInTools(newFolder())
    return Promise.resolve({ store: tools.open(), reopen: () => tools.open() })
  },
})

documentStoreConformance("artdaq's tools through ssh", {
  keepsOriginals: false,
  make: () => {
    const tools = standInTools(newFolder(), { remote: true })
    return Promise.resolve({ store: tools.open(), reopen: () => tools.open() })
  },
})

documentStoreConformance('the fake', {
  keepsOriginals: true,
  make: () => {
    const store = new MemoryDocumentStore()
    return Promise.resolve({ store, reopen: () => new MemoryDocumentStore(store.kept) })
  },
})
