import { execFile } from 'node:child_process'

/** Messages to systemd (sd_notify(3)). Every call is safe without systemd and never throws. */
export interface Notifier {
  /** The program is up and has read its configuration. */
  readonly ready: () => void
  /** One line for `systemctl status`. The same text twice is sent once. */
  readonly status: (text: string) => void
  /** Work moved, or there is nothing to do. Sent no more often than systemd needs. */
  readonly alive: () => void
  /** The program reads its configuration again, until `ready`. */
  readonly reloading: () => void
  /** The program stops, within so many seconds. */
  readonly stopping: (seconds: number) => void
  /** Resolves when everything is sent. */
  readonly close: () => Promise<void>
  /** systemd kills the process after so many milliseconds without `alive`; undefined: no watchdog. */
  readonly watchdog: number | undefined
}

export interface NotifierOptions {
  /** `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  /** CLOCK_MONOTONIC in microseconds, which systemd compares with its own (`Type=notify-reload`). */
  readonly uptime: () => bigint
  /** Called at most once, when systemd cannot be reached. */
  readonly warn: (message: string) => void
}

type Send = (message: string) => void

/**
 * Sends through the program `systemd-notify`, because Node has no Unix datagrams. The unit needs `NotifyAccess=all`, for the sender is a
 * child process. Sends nothing without NOTIFY_SOCKET.
 */
export const openNotifier = (options: NotifierOptions): Notifier => {
  const { env, pid, monotonic, uptime } = options
  const socket = env['NOTIFY_SOCKET']
  const { send, close } = socket ? byProgram(socket, once(options.warn)) : NOWHERE
  const watchdog = socket === undefined ? undefined : watchdogOf(env, pid)
  let lastStatus: string | undefined
  let lastAlive = -Infinity
  return {
    watchdog,
    ready: () => send('READY=1'),
    status: (text) => {
      const line = text.replace(/\s+/g, ' ')
      if (line !== lastStatus) send(`STATUS=${line}`)
      lastStatus = line
    },
    alive: () => {
      if (watchdog === undefined || monotonic() - lastAlive < watchdog / 4) return
      lastAlive = monotonic()
      send('WATCHDOG=1')
    },
    reloading: () => send(`RELOADING=1\nMONOTONIC_USEC=${uptime()}`),
    stopping: (seconds) => send(`STOPPING=1\nEXTEND_TIMEOUT_USEC=${Math.round(seconds * 1e6)}`),
    close,
  }
}

interface Way {
  readonly send: Send
  readonly close: () => Promise<void>
}

const NOWHERE: Way = { send: () => undefined, close: () => Promise.resolve() }

/** The watchdog's time-out in milliseconds, when it is meant for this process and not for its parent. */
const watchdogOf = (env: NotifierOptions['env'], pid: number): number | undefined => {
  const microseconds = Number(env['WATCHDOG_USEC'])
  const target = env['WATCHDOG_PID']
  const isOurs = target === undefined || Number(target) === pid
  return isOurs && microseconds > 0 ? microseconds / 1000 : undefined
}

/** A child process for each message, one after the other, so that they arrive in order. */
const byProgram = (socket: string, warn: (message: string) => void): Way => {
  let last = Promise.resolve()
  const run = (message: string): Promise<void> =>
    new Promise((resolve) => {
      execFile(
        'systemd-notify',
        message.split('\n'),
        { env: { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: socket }, timeout: 5000 },
        (error) => {
          if (error) warn(error.message)
          resolve()
        },
      )
    })
  return {
    send: (message) => {
      last = last.then(() => run(message))
    },
    close: () => last,
  }
}

const once = (warn: (message: string) => void): ((message: string) => void) => {
  let isWarned = false
  return (message) => {
    if (!isWarned) warn(`Cannot reach systemd: ${message}`)
    isWarned = true
  }
}
