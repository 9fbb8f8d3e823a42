/** Changes of a file or folder closer together than this, in milliseconds, may carry the same time: the kernel's clock for files ticks every 4 to 10 ms. */
export const TICK_MS = 20

/** No file system has times coarser than this, in milliseconds: a time that is older shows every later change. */
export const COARSE_MS = 3000
