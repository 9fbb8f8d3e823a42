import { describe, expect, it } from 'vitest'
import { migrateStage } from '../../src/runs/migrate-stage.ts'
import { openDocumentStore } from '../../src/stores/artdaqdb/open.ts'
import { openArchive } from '../../src/stores/ucondb/open.ts'

const settings = {
  folderName: 'run_records',
  objectName: 'configuration',
  writerUser: undefined,
  writerPassword: undefined,
  verify: 'content',
  timeoutSeconds: 1,
  connections: 2,
  caFile: undefined,
} as const

const surroundings = {
  env: {},
  stop: undefined,
  overrideConflict: undefined,
  expectExisting: false,
  now: Date.now,
}

describe('the migrate stage', () => {
  it.each([
    { serverUrl: 'file:///nowhere/archive', waits: 1 },
    { serverUrl: 'http://127.0.0.1:1/instance/app', waits: 0 },
  ])(
    'lets runs wait for a disk beside those worked on, and for a server none: $serverUrl',
    async ({ serverUrl, waits }) => {
      const artdaq = openDocumentStore({
        databaseUris: ['filesystemdb:///nowhere/db'],
        keepOriginals: true,
        useTools: false,
        now: Date.now,
      })
      const archive = await openArchive({ ...settings, serverUrl }, surroundings)
      const stage = migrateStage(
        artdaq,
        archive,
        () => Buffer.alloc(0),
        () => 0,
      )
      expect(stage.waits).toBe(waits)
    },
  )
})
