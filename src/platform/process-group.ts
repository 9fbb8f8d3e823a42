import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { openFilesOf, threadsOf } from './process-facts.ts'

/** What the processes of one session use together. */
export interface GroupUsage {
  readonly processes: number
  readonly memoryMb: number
  /** Milliseconds of processor time of those that live, and of their children that have ended. */
  readonly cpuMs: number
  readonly readBytes: number | undefined
  readonly writeBytes: number | undefined
  /** Of all of them; undefined where one of them cannot be seen, because a part would be taken for the whole. */
  readonly openFiles: number | undefined
  readonly threads: number | undefined
}

/** Linux counts processor time in hundredths of a second for every program, whatever the kernel's own rate is. */
const MS_PER_TICK = 10
const PAGE_MB = 4096 / (1024 * 1024)

/** The processes of a session: a command that leads one, and everything that it started, also in groups of their own. Empty where /proc is not. */
export const sessionUsage = (session: number): GroupUsage => {
  let [processes, pages, ticks] = [0, 0, 0]
  let [readBytes, writeBytes]: (number | undefined)[] = []
  const openFiles: (number | undefined)[] = []
  const threads: (number | undefined)[] = []
  for (const pid of pidsThere()) {
    // The command's name stands in brackets and may hold blanks and brackets; the fields begin after the last one.
    const stat = read(`/proc/${pid}/stat`)
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(fields[3]) !== session) continue
    processes += 1
    ticks += [11, 12, 13, 14].reduce((sum, place) => sum + Number(fields[place] ?? 0), 0)
    pages += Number(fields[21] ?? 0)
    // A process that has ended, and waits only for its parent to look, has neither.
    if (fields[0] !== 'Z') {
      openFiles.push(openFilesOf(Number(pid)) ?? goneOrHidden(pid))
      threads.push(threadsOf(Number(pid)) ?? goneOrHidden(pid))
    }
    const io = read(`/proc/${pid}/io`)
    const bytes = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0)
    if (io === '') continue
    readBytes = (readBytes ?? 0) + bytes('read_bytes')
    writeBytes = (writeBytes ?? 0) + bytes('write_bytes')
  }
  return {
    processes,
    memoryMb: Math.round(pages * PAGE_MB),
    cpuMs: ticks * MS_PER_TICK,
    readBytes,
    writeBytes,
    openFiles: sumOf(openFiles),
    threads: sumOf(threads),
  }
}

/** A process that has ended meanwhile counts as nothing. Where one may not be looked at, the sum is not known. */
const goneOrHidden = (pid: string): number | undefined => (existsSync(`/proc/${pid}`) ? undefined : 0)

/** Undefined where a part is not known, or where nobody is there. */
const sumOf = (parts: readonly (number | undefined)[]): number | undefined =>
  parts.length === 0
    ? undefined
    : parts.reduce((sum, part) => (sum === undefined || part === undefined ? undefined : sum + part))

const pidsThere = (): string[] => {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has ended, or belongs to somebody else
  }
}
