import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process holds at a moment. */
export interface Sample {
  /** Resident memory, MB. */
  readonly rss: number
  readonly descriptors: number
  /** Descriptors by kind: `socket`, `pipe`, `[eventpoll]`, and the name of a file without its digits. */
  readonly kinds: Readonly<Record<string, number>>
  readonly children: number
  readonly threads: number
}

/** Undefined where the process has ended. */
export const sampleOf = (pid: number): Sample | undefined => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kinds: Record<string, number> = {}
    const names = readdirSync(`/proc/${pid}/fd`)
    for (const name of names) {
      const kind = kindOf(pid, name)
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
    return {
      rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
      descriptors: names.length,
      kinds,
      children: childrenOf(pid),
      threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1]),
    }
  } catch {
    return undefined
  }
}

const kindOf = (pid: number, descriptor: string): string => {
  try {
    const target = readlinkSync(`/proc/${pid}/fd/${descriptor}`)
    return target
      .replace(/^anon_inode:/, '')
      .replace(/:\[\d+\]$/, '')
      .replace(/^.*\/|[\d-]+/g, '')
  } catch {
    return 'closed meanwhile'
  }
}

const childrenOf = (pid: number): number => {
  let count = 0
  for (const thread of readdirSync(`/proc/${pid}/task`))
    count += readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).length
  return count
}

/** How much more was held in the last third than in the second: the first is the start. Passes come and go, so the least of each third counts. */
export const growthOf = (samples: readonly Sample[], figure: 'rss' | 'descriptors'): number => {
  const third = Math.max(1, Math.floor(samples.length / 3))
  const least = (part: readonly Sample[]) => Math.min(...part.map((one) => one[figure]))
  return least(samples.slice(-third)) - least(samples.slice(third, 2 * third))
}

export const mostOf = (
  samples: readonly Sample[],
  figure: 'rss' | 'descriptors' | 'children' | 'threads',
): number => Math.max(...samples.map((one) => one[figure]))

/** The kinds of descriptors that a process held most of when it held most of all. */
export const kindsText = (samples: readonly Sample[]): string => {
  const [worst] = samples.toSorted((a, b) => b.descriptors - a.descriptors)
  return Object.entries(worst?.kinds ?? {})
    .sort(([, a], [, b]) => b - a)
    .slice(0, 12)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
}
