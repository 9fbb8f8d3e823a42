import { readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'

/** The wall clock, epoch milliseconds. The only place that asks it; everything else takes a time or a clock. */
export const now = (): number => Date.now()

/** A clock that never jumps, milliseconds since some moment of this process. For durations and timers. */
export const monotonic = (): number => performance.now()

/** CLOCK_MONOTONIC, microseconds: as systemd reads it. */
export const monotonicMicroseconds = (): bigint => process.hrtime.bigint() / 1000n

/** CLOCK_MONOTONIC, milliseconds: one for all processes of the machine until it is booted again. */
export const sinceBoot = (): number => Number(process.hrtime.bigint() / 1_000_000n)

export type Clock = () => number

/** Changes with every boot of the machine; empty where the kernel does not say. */
export const bootId = (): string => read('/proc/sys/kernel/random/boot_id').trim()

/** When a process began, in clock ticks since boot: distinguishes a process from a later one with the same pid. Undefined: no such process. */
export const startTicks = (pid: number): number | undefined => {
  const stat = read(`/proc/${pid}/stat`)
  // The command's name stands in brackets and may itself hold blanks and brackets; the fields begin after the last one.
  const field = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return field === undefined ? undefined : Number(field)
}

/** When the machine was booted, epoch milliseconds. */
export const bootTime = (): number => {
  const seconds = /^btime (\d+)$/m.exec(read('/proc/stat'))?.[1]
  return seconds === undefined ? 0 : Number(seconds) * 1000
}

export interface Identity {
  readonly pid: number
  readonly host: string
  readonly user: string
  readonly bootId: string
  readonly startTicks: number | undefined
}

/** Who this process is, for the lock's owner file and the ledger. */
export const identity = (): Identity => ({
  pid: process.pid,
  host: hostname(),
  user: userName(),
  bootId: bootId(),
  startTicks: startTicks(process.pid),
})

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '') // a uid without an entry in passwd
  }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // not Linux, or the process is gone
  }
}
