import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { networkCounters, type NetworkCounters } from '../../platform/network-counters.ts'
import { openFilesOf, threadsOf } from '../../platform/process-facts.ts'
import type { Cell } from './row.ts'

/** What a process has used so far. */
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
  /** Undefined where the system does not say. */
  readonly openFiles: number | undefined
  readonly threads: number | undefined
  /** Of this process alone: no other can be asked. */
  readonly network?: NetworkCounters
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
    openFiles: openFilesOf(),
    threads: threadsOf(),
    network: networkCounters(),
  }
}

/** Linux counts processor time in hundredths of a second for every program. */
const MS_PER_TICK = 10

/** What another process of this machine has used so far; undefined where it cannot be seen. */
export const usageOf = (pid: number): Usage | undefined => {
  const stat = read(`/proc/${pid}/stat`)
  // The command's name stands in brackets, and may hold some itself: the fields begin after the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = (place: number): number => Number(fields[place] ?? 0)
  const status = read(`/proc/${pid}/status`)
  const memory = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024)
  if (stat === '' || status === '') return undefined
  const io = ioCounters(pid)
  return {
    memoryMb: memory('VmRSS'),
    peakMemoryMb: memory('VmHWM'),
    cpuMs: (ticks(11) + ticks(12)) * MS_PER_TICK,
    livedMs: Math.max(0, uptime() * 1000 - ticks(19) * MS_PER_TICK),
    readBytes: io.get('read_bytes'),
    writeBytes: io.get('write_bytes'),
    openFiles: openFilesOf(pid),
    threads: threadsOf(pid),
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

/** A measurement as columns of `process_metrics`; null where the system does not say. */
export const usageCells = (
  { memoryMb, peakMemoryMb, readBytes, writeBytes, openFiles, threads }: Omit<Usage, 'cpuMs' | 'livedMs'>,
  cpu: number,
): Readonly<Record<string, Cell>> => ({
  cpu_percent: cpu,
  memory_mb: memoryMb,
  peak_memory_mb: peakMemoryMb,
  read_bytes: readBytes ?? null,
  write_bytes: writeBytes ?? null,
  open_files: openFiles ?? null,
  threads: threads ?? null,
})

/** What went over the network, as columns of `process_metrics`. */
export const networkCells = ({ network }: Usage): Readonly<Record<string, number | null>> => ({
  net_rx_bytes: network?.receivedBytes ?? null,
  net_tx_bytes: network?.sentBytes ?? null,
  db_connections: network?.databases ?? null,
})

const ioCounters = (process: number | 'self' = 'self'): ReadonlyMap<string, number> => {
  const lines = read(`/proc/${process}/io`)
    .split('\n')
    .filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.split(':')[0] ?? '', Number(line.split(':')[1])]))
}

/** Empty where the system does not say. */
const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
