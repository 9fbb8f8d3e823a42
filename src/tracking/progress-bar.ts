import cliProgress from 'cli-progress'
import type { Listener } from '../engine/stage.ts'

/** The terminal that a bar is drawn on. */
export interface BarTerminal {
  write(text: string): void
  /** Its width now; it may change while the bar is up. */
  columns(): number
}

/** A bar below the log: runs, rate, time left. */
export interface ProgressBar {
  readonly listener: Listener
  /** Prints whole lines above the bar. */
  print(lines: string): void
  /** Takes the bar away, where it is still up: a pass that threw. */
  close(): void
}

/** Columns that are left free: a terminal writes ^C behind the bar. */
const ECHO = 3
/** Milliseconds between two pictures. */
const PICTURE = 100
const WIDEST = 40
const NARROWEST = 8
const CLEAR = '\r\x1b[K'

/** Draws the bar with no more columns than there are, so that it never wraps; log lines are never cut, for the terminal wraps them. */
export const progressBar = (monotonic: () => number, terminal: BarTerminal): ProgressBar => {
  let stage = ''
  let [began, total, done, failed, drawnAt] = [0, 0, 0, 0, -Infinity]
  let isUp = false
  const draw = (): void => {
    drawnAt = monotonic()
    const facts = { stage, total, done, failed, seconds: (drawnAt - began) / 1000 }
    terminal.write(CLEAR + barText(facts, terminal.columns() - ECHO))
  }
  const seen = (): void => {
    if (isUp && monotonic() - drawnAt >= PICTURE) draw()
  }
  return {
    print: (lines) => {
      if (!isUp) {
        terminal.write(lines)
        return
      }
      terminal.write(CLEAR + lines)
      draw()
    },
    close: () => {
      if (isUp) terminal.write(CLEAR)
      isUp = false
    },
    listener: (event) => {
      switch (event.type) {
        case 'pass-started':
          ;[stage, began, total, done, failed] = [event.stage, monotonic(), event.total ?? 0, 0, 0]
          isUp = total > 0
          if (isUp) draw()
          return
        case 'item-done':
          done++
          seen()
          return
        case 'item-failed':
          failed++
          seen()
          return
        case 'pass-finished':
          if (!isUp) return
          draw()
          terminal.write('\n')
          isUp = false
          return
      }
    },
  }
}

export interface BarFacts {
  readonly stage: string
  readonly total: number
  readonly done: number
  readonly failed: number
  readonly seconds: number
}

/** The bar as a text of at most `width` characters; what there is no room for is left out, the count last. */
export const barText = ({ stage, total, done, failed, seconds }: BarFacts, width: number): string => {
  const attempted = done + failed
  const rate = attempted / Math.max(0.001, seconds)
  const left = rate === 0 ? '' : `, ${timeText(Math.round((total - attempted) / rate))} left`
  const failures = failed === 0 ? '' : `, ${failed} failed`
  const count = `${attempted}/${total} runs`
  const texts = [
    `${count}, ${rate.toFixed(1)} runs/s${left}${failures}`,
    `${count}${left}${failures}`,
    `${count}${failures}`,
    count,
  ]
  for (const text of texts) {
    const room = width - stage.length - text.length - 4
    if (room >= NARROWEST) return `${stage} |${barOf(attempted / total, Math.min(WIDEST, room))}| ${text}`
  }
  return `${stage} ${count}${failures}`.slice(0, Math.max(0, width))
}

const barOf = (share: number, size: number): string =>
  cliProgress.Format.BarFormat(Math.min(1, share), {
    barsize: size,
    barGlue: '',
    barCompleteString: '█'.repeat(size),
    barIncompleteString: '░'.repeat(size),
  })

/** `45s`, `3m20s`, `2h05m`. */
const timeText = (seconds: number): string => {
  const two = (part: number): string => String(part).padStart(2, '0')
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`
}
