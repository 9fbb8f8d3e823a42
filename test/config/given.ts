import { expect } from 'vitest'
import { interpret, type Config, type ReadConfig } from '../../src/config/load-config.ts'
import { readSmallFile } from '../../src/config/secret-sources.ts'
import { ArchiverError } from '../../src/errors.ts'

/** A secret that must never be seen again. */
export const CANARY = 'canary-7f3a'

/** Six lines: a section that is added begins at line 7. */
export const LEAST = `source_files:
    run_records_dir: /daq/run_records
artdaq_db:
    database_uri: filesystemdb:///daq/db
ucon_db:
    server_url: file:///daq/archive
`

export type Env = Record<string, string | undefined>

/** Reads a configuration as if it stood in /etc/archiver. */
export const read = (text: string, env: Env = {}, path = '/etc/archiver/config.yaml'): ReadConfig =>
  interpret(text, { env, path, readFile: readSmallFile })

export const parse = (text: string, env: Env = {}, path?: string): Config => read(text, env, path).config

/** The lines of the error that a configuration ends in. */
export const problemsOf = (text: string, env: Env = {}): string[] => {
  try {
    read(text, env, 'config.yaml')
  } catch (error) {
    expect(error).toBeInstanceOf(ArchiverError)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 })
    return (error as ArchiverError).message.split('\n')
  }
  throw new Error(`accepted: ${text}`)
}

/** A whole configuration in which one section, the last, has these lines. */
export const withSection = (name: string, ...lines: string[]): string =>
  `${LEAST.replace(new RegExp(`^${name}:\n(?: .*\n)*`, 'm'), '')}${name}:\n${lines.map((line) => `    ${line}\n`).join('')}`
