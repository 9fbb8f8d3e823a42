import { readdirSync, readFileSync } from 'node:fs'

/** What this process has used so far. */
export interface Usage {
  readonly memoryMb: number
  readonly peakMemoryMb: number
  /** Milliseconds of processor time, user and system, of all threads. */
  readonly cpuMs: number
  /** Milliseconds that the process has lived, by a clock that never jumps. */
  readonly livedMs: number
  /** Bytes that went to and came from storage; undefined where the kernel does not say. */
  readonly readBytes: number | undefined
  readonly writeBytes: number | undefined
}

const MB = 1024 * 1024

export const processUsage = (): Usage => {
  const { user, system } = process.cpuUsage()
  const io = ioCounters()
  return {
    memoryMb: Math.round(residentBytes() / MB),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
    cpuMs: (user + system) / 1000,
    livedMs: process.uptime() * 1000,
    readBytes: io.get('read_bytes'),
    writeBytes: io.get('write_bytes'),
  }
}

/** Node reads this from /proc, which may be missing (a chroot) or not to be opened (no descriptors left): the peak is near enough then. */
const residentBytes = (): number => {
  try {
    return process.memoryUsage.rss()
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

/** What the ledger's columns for it hold at most. */
const MOST_PERCENT = 999_999.99

/** Percent of one processor that were used between two moments, rounded to hundredths; since the process began where there is no earlier one. */
export const cpuPercent = (before: Usage | undefined, after: Usage): number => {
  const passed = Math.max(1, after.livedMs - (before?.livedMs ?? 0))
  const percent = ((after.cpuMs - (before?.cpuMs ?? 0)) / passed) * 100
  return Math.min(MOST_PERCENT, Math.max(0, Math.round(percent * 100) / 100))
}

const ioCounters = (): ReadonlyMap<string, number> => {
  try {
    const lines = readFileSync('/proc/self/io', 'utf8').trim().split('\n')
    return new Map(lines.map((line) => [line.split(':')[0] ?? '', Number(line.split(':')[1])]))
  } catch {
    return new Map()
  }
}

/** Files and sockets that this process has open; undefined where the system does not say. */
export const openDescriptors = (): number | undefined => {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}
