import cliProgress from 'cli-progress'
import type { Listener } from '../engine/stage.ts'

/** A bar on a terminal: runs, rate, time left. Writes to standard error; loaded only where there is a terminal. */
export const progressBar = (monotonic: () => number): Listener => {
  const format = '{stage} |{bar}| {value}/{total} runs, {rate} runs/s, {eta_formatted} left{failures}'
  const bar = new cliProgress.SingleBar(
    {
      format,
      stream: process.stderr,
      hideCursor: true,
      etaBuffer: 50,
      clearOnComplete: false,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  )
  let began = 0
  let done = 0
  let failed = 0
  const show = (): void => {
    const rate = ((1000 * (done + failed)) / Math.max(1, monotonic() - began)).toFixed(1)
    bar.update(done + failed, { rate, failures: failed ? `, ${failed} failed` : '' })
  }
  return (event) => {
    switch (event.type) {
      case 'pass-started':
        began = monotonic()
        done = failed = 0
        if (event.total > 0) bar.start(event.total, 0, { stage: event.stage, rate: '-', failures: '' })
        return
      case 'item-done':
        done++
        {
          show()
          return
        }
      case 'item-failed':
        failed++
        {
          show()
          return
        }
      case 'pass-finished':
        bar.stop()
        return
    }
  }
}
