import type { Camel, Values } from './schema.ts'
import { app, daemon, fhiclizeGenerate, logging, sourceFiles } from './sections/app.ts'
import { artdaqDb, ledger, uconDb } from './sections/stores.ts'
import { records } from './sections/records.ts'
import { scrub } from './sections/scrub.ts'
import { queue } from './sections/queue.ts'
import { carbon, metrics, reporting } from './sections/alerts.ts'
import { rows } from './sections/rows.ts'
import { serve } from './sections/serve.ts'
import { tracking } from './sections/tracking.ts'

/** Every setting there is. Parsing, the type `Config` and docs/CONFIG.md follow from this table. */
export const KEYS = {
  app,
  source_files: sourceFiles,
  artdaq_db: artdaqDb,
  ucon_db: uconDb,
  fhiclize_generate: fhiclizeGenerate,
  logging,
  ledger,
  tracking,
  queue,
  reporting,
  carbon,
  metrics,
  daemon,
  rows,
  records,
  scrub,
  serve,
} as const

/** The checked configuration: every setting has its value, in camel case, in the unit that its name says. */
export type Config = Values<typeof KEYS>

/** The name of a section, as it stands in the file. */
export type SectionName = keyof typeof KEYS

/** The part of the configuration that these sections make. */
export type Sections<Name extends SectionName> = Pick<Config, Camel<Name>>
