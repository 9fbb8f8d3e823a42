import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { RowsOptions } from '../../src/rows/options.ts'
import type { Site } from './servers.ts'

/** A site whose rows go to files, with its own way to read them. */
export class FilesSite {
  readonly site: Site
  readonly folder: string

  constructor(site: Site) {
    this.site = site
    this.folder = join(site.folder, 'archive')
    mkdirSync(this.folder, { mode: 0o700 })
  }

  get url(): string {
    return `file://${this.folder}`
  }

  /** What `site.move` is given for this archive. */
  options(format: 'jsonl' | 'csv' = 'jsonl'): Partial<RowsOptions> {
    return { archiveTable: '', archiveFiles: { folder: this.folder, format } }
  }

  config(more: Readonly<Record<string, unknown>> = {}): string {
    return this.site.config({ archive_table: undefined, archive: this.url, batch_size: 50, ...more })
  }

  /** Paths below the folder of the table. */
  files(where: 'placed' | 'pending' | 'all' = 'all'): string[] {
    const table = join(this.folder, `${this.site.schema}.r`)
    if (!existsSync(table)) return []
    return readdirSync(table, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:jsonl|csv)$/.test(name))
      .filter((name) => where === 'all' || name.startsWith('pending/') === (where === 'pending'))
      .map((name) => join(table, name))
  }

  /** How often each id stands in files of JSON lines, with its text. A file whose name is not that of its content does not count. */
  archived(where: 'placed' | 'pending' | 'all' = 'all'): Map<string, string[]> {
    const found = new Map<string, string[]>()
    for (const path of this.files(where)) {
      const content = readFileSync(path)
      if (!basename(path).includes(createHash('sha256').update(content).digest('hex'))) continue
      for (const line of content.toString().trimEnd().split('\n')) {
        const { id = '', t = '' } = JSON.parse(line) as Record<string, string>
        found.set(id, [...(found.get(id) ?? []), t])
      }
    }
    return found
  }

  /** Ids of 1 to `count` that are neither live nor in any file as they were. */
  async lost(count: number): Promise<number[]> {
    const live = new Set(
      (await this.site.rows("SELECT id FROM r WHERE t = CONCAT('row ', id)")).map(({ id }) => id),
    )
    const archived = this.archived()
    return Array.from({ length: count }, (_, at) => at + 1).filter(
      (id) => !live.has(String(id)) && archived.get(String(id))?.includes(`row ${id}`) !== true,
    )
  }
}
