/** What an operator can do about an error of the system under a store; `place` as in a sentence: `archive`, `artdaqDB`. */
export const diskHint = (code: string | undefined, place: string): string | undefined =>
  HINTS[code ?? '']?.(place)

const rights = (place: string): string =>
  `Give the user of the archiver the right to read and write the ${place} folder.`

const HINTS: Readonly<Record<string, (place: string) => string>> = {
  ENOSPC: (place) => `The ${place} disk is full: make room, then start again; no run was lost.`,
  EDQUOT: (place) =>
    `The quota on the ${place} disk is used up: raise it, then start again; no run was lost.`,
  EROFS: (place) => `The ${place} disk is mounted read-only.`,
  EACCES: rights,
  EPERM: rights,
  ENOENT: (place) => `Is the ${place} disk mounted?`,
  ESTALE: () => 'The network disk went away: mount it again.',
  EIO: () => 'The disk reports an error: look at the system log.',
}
