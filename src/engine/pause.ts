/** Waits so many milliseconds, or until the signal; not at all where it has come already. Leaves no listener behind. */
export const pause = (milliseconds: number, stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer)
      stop.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, milliseconds)
    stop.addEventListener('abort', finish)
    if (stop.aborted) finish()
  })
