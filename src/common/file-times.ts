/** Changes of a file or folder closer together than this, in milliseconds, may carry the same time: the kernel's clock for files ticks every 4 to 10 ms. */
export const TICK_MS = 20

/** No file system has times coarser than this, in milliseconds: a time that is older shows every later change. */
export const COARSE_MS = 3000

/** How old a change time is, in milliseconds. `changed`: nanoseconds since the epoch; `now`: epoch milliseconds. */
export const ageOf = (changed: bigint, now: number): number => now - Number(changed / 1_000_000n)

/**
 * Whether a file system whose times are whole seconds (ext3, some NFS servers) may give this change time to another change, too: then it shows nothing yet.
 * Units as those of `ageOf`.
 */
export const mayComeAgain = (changed: bigint, now: number): boolean =>
  changed % 1_000_000_000n === 0n && ageOf(changed, now) <= COARSE_MS
