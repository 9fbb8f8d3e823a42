import { spawnSync } from 'node:child_process'

const NOBODY = 65_534

/**
 * Does something with the rights of an ordinary user: as it is for one, as nobody for root, to whom the folders below `root` are handed over
 * first. Only in a process of its own (vitest's `forks`): the rights are the process's.
 */
export const unprivileged = async <T>(root: string, work: () => Promise<T>): Promise<T> => {
  if (process.getuid?.() !== 0) return work()
  spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, root])
  process.setegid?.(NOBODY)
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}
