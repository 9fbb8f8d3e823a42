import { buildSync } from 'esbuild'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ToolsDb } from '../../../../src/stores/artdaqdb/tools/tools-db.ts'

/** How a stand-in goes wrong, as the real tools do. */
export type Fault = 'loses-a-document' | 'fails' | 'hangs' | 'shouts' | 'exports-in-part' | 'lists-errors'

export interface StandIns {
  readonly folder: string
  open(options?: { readonly timeoutSeconds?: number; readonly uri?: string }): ToolsDb
  /** The next call of a tool goes wrong so; undefined: no more. */
  fail(tool: string, fault: Fault | undefined): void
  /** Every call so far: the tool, its arguments, and the URI it was given. */
  calls(): readonly { readonly tool: string; readonly words: readonly string[]; readonly uri: string }[]
}

const TOOLS = ['bulkloader', 'bulkdownloader', 'conftool.py', 'ssh', 'scp']

/**
 * Executables that behave as artdaq's tools do, in a folder of their own: loading twice stores twice, no file ends in
 * SIGFPE, export prints FHiCL anew, ssh hands one string to a shell. Their database is a directory of files.
 */
export const standInTools = (folder: string, { remote = false } = {}): StandIns => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const tool of TOOLS) {
    copyFileSync(compiled(), join(bin, tool))
    chmodSync(join(bin, tool), 0o755)
  }
  const log = join(folder, 'calls')
  const faults = join(folder, 'faults.json')
  writeFileSync(faults, '{}')
  return {
    folder,
    open: ({ timeoutSeconds = 30, uri = `filesystemdb://${join(folder, 'db')}` } = {}) =>
      new ToolsDb({
        uri,
        toolsDir: bin,
        remoteHost: remote ? 'archiver@artdaq-host.example' : undefined,
        env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, TMPDIR: tmpdir() },
        timeoutSeconds,
      }),
    fail: (tool, fault) =>
      writeFileSync(
        faults,
        JSON.stringify({ ...(JSON.parse(readFileSync(faults, 'utf8')) as object), [tool]: fault }),
      ),
    calls: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as { tool: string; words: string[]; uri: string })
        : [],
  }
}

let script: string | undefined

const compiled = (): string => {
  if (script !== undefined && existsSync(script)) return script
  script = join(tmpdir(), `stand-in-${process.pid}.cjs`)
  buildSync({
    entryPoints: [resolve(import.meta.dirname, 'stand-in-tool.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    banner: { js: '#!/usr/bin/env node' },
  })
  return script
}
