import { fileURLToPath } from 'node:url'
import type { Config } from '../config/settings.ts'

/** The folders that a pass writes to, with what they are: their disks must have room. */
export const writtenFolders = ({
  app,
  artdaqDb,
  uconDb,
}: Config): (readonly [name: string, path: string])[] => [
  ['work_dir', app.workDir],
  ...artdaqDb.databaseUris
    .filter((uri) => uri.startsWith('filesystemdb:'))
    .map((uri) => ['artdaqDB', new URL(uri).pathname] as const),
  ...(uconDb.serverUrl.startsWith('file:') ? [['archive', fileURLToPath(uconDb.serverUrl)] as const] : []),
]
