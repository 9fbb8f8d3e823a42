import { readdirSync, unlinkSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { readTextNow } from '../../platform/read-file.ts'
import { makeFolderNow } from '../../platform/make-folder.ts'
import { appendOwn, overwriteOwn } from '../../platform/own-file.ts'
import { hasFailed, noteEnd } from './failed-passes.ts'
import { judge } from './status-words.ts'
import type { Host } from './close-dead.ts'
import type { Cell, Row } from './row.ts'
import { dayOf, timeMs, timeText } from '../../sql/timestamps.ts'

/**
 * What a pass leaves in work_dir so that one that finds nothing to do never opens the ledger: a file for each execution that
 * runs, with the row about it, and a line for each pass that was idle. Nothing here throws.
 */
export class RunningFiles {
  readonly #folder: string
  readonly #idle: string
  readonly #place: string
  readonly #workDir: string

  constructor(workDir: string) {
    this.#workDir = workDir
    this.#folder = join(workDir, 'ledger-running')
    this.#idle = join(workDir, 'ledger-idle.txt')
    this.#place = createHash('sha256').update(workDir).digest('hex').slice(0, 16)
  }

  /** An execution begins. */
  put(runId: string, cells: Readonly<Record<string, Cell>>): void {
    quietly(() => {
      makeFolderNow(this.#folder, 0o750)
      overwriteOwn(join(this.#folder, `${runId}.json`), JSON.stringify(cells))
    })
  }

  /** It has ended, and said so where it counts. */
  remove(runId: string): void {
    quietly(() => unlinkSync(join(this.#folder, `${runId}.json`)))
  }

  /** The same, and whether it failed, which is remembered for the next pass of its task. */
  ended(runId: string, cells: Readonly<Record<string, Cell>>, isFailure: boolean): void {
    this.remove(runId)
    noteEnd(this.#workDir, textOf(cells['task_name']) ?? '', isFailure)
  }

  /** Whether the newest execution of this task failed. */
  hasFailed(cells: Readonly<Record<string, Cell>>): boolean {
    return hasFailed(this.#workDir, textOf(cells['task_name']) ?? '')
  }

  /**
   * Executions that are gone without having removed their file, as rows that make sure that the ledger knows of them: where it
   * does already, its newer row stays. A file that a kill cut short says nothing and is removed.
   */
  left(host: Host): Row[] {
    const rows: Row[] = []
    for (const name of quietly(() => readdirSync(this.#folder)) ?? []) {
      const path = join(this.#folder, name)
      const cells = quietly(() => JSON.parse(readTextNow(path)) as Record<string, Cell>)
      const { hostname, process_id: pid, execution_start: start } = cells ?? {}
      if (!cells || typeof hostname !== 'string' || typeof pid !== 'number' || typeof start !== 'string') {
        quietly(() => unlinkSync(path))
        continue
      }
      const { verdict } = judge(
        {
          host: hostname,
          pid,
          bootId: textOf(cells['boot_id']),
          startTicks: typeof cells['process_start_ticks'] === 'number' ? cells['process_start_ticks'] : null,
          startedAt: timeMs(start),
          heartbeatAt: null,
        },
        { ...host, startTicks: host.startTicksOf(pid) },
      )
      if (verdict === 'terminated' || verdict === 'system_reboot')
        rows.push({ table: 'executions', cells, transient: false })
    }
    return rows
  }

  /** Counts a pass that had nothing to do: one short line, appended. */
  countIdle(now: number): void {
    quietly(() => appendOwn(this.#idle, `${timeText(now)}\n`))
  }

  /** It had nothing to do, and the ledger never hears of it. */
  endedIdle(runId: string, now: number): void {
    this.countIdle(now)
    this.remove(runId)
  }

  /** The idle passes of each day, as the whole number of the day, so that writing them twice counts them once. */
  idleRows(host: string): Row[] {
    const days = new Map<string, { passes: number; last: string }>()
    for (const line of this.#idleLines()) {
      const day = days.get(line.slice(0, 10))
      days.set(line.slice(0, 10), { passes: (day?.passes ?? 0) + 1, last: line })
    }
    return [...days].map(([day, { passes, last }]) => ({
      table: 'idle_passes',
      cells: { hostname: host, place: this.#place, day, passes, last_at: last },
      transient: false,
    }))
  }

  /** Forgets the days before today, whose numbers are in the ledger and will not change. */
  forgetIdle(now: number): void {
    const today = dayOf(now)
    const lines = this.#idleLines()
    const left = lines.filter((line) => line.slice(0, 10) >= today)
    if (left.length < lines.length)
      quietly(() => overwriteOwn(this.#idle, left.map((line) => `${line}\n`).join('')))
  }

  #idleLines(): string[] {
    const text = quietly(() => readTextNow(this.#idle)) ?? ''
    return text.split('\n').filter((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/.test(line))
  }
}

const textOf = (cell: Cell | undefined): string | null => (typeof cell === 'string' ? cell : null)

/** The ledger's own files are a convenience: where they cannot be kept, nothing else suffers. */
const quietly = <T>(act: () => T): T | undefined => {
  try {
    return act()
  } catch {
    return undefined
  }
}
