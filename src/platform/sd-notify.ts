import { execFile } from 'node:child_process'

/** What systemd is told (sd_notify(3)). Every call is safe without systemd and never throws. */
export interface Notifier {
  /** Up, and its configuration read. */
  readonly ready: () => void
  /** One line for `systemctl status`. The same text twice is sent once. */
  readonly status: (text: string) => void
  /** Work moved, or idleness was confirmed. Sent no more often than systemd needs. */
  readonly alive: () => void
  /** The configuration is read again; `ready` ends it. */
  readonly reloading: () => void
  /** Going down, which may take so many seconds. */
  readonly stopping: (seconds: number) => void
  /** Resolves when everything was sent. */
  readonly close: () => Promise<void>
  /** After so many milliseconds without `alive` systemd kills the process; undefined: it does not watch. */
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
  /** Told at most once: systemd cannot be reached. */
  readonly warn: (message: string) => void
}

type Send = (message: string) => void

/**
 * Opens the way to systemd: a datagram of our own where the optional `unix-dgram` is installed, else the program
 * `systemd-notify`, which needs `NotifyAccess=all` in the unit. Without NOTIFY_SOCKET nothing is sent.
 */
export const openNotifier = async (options: NotifierOptions): Promise<Notifier> => {
  const { env, pid, monotonic, uptime } = options
  const socket = env['NOTIFY_SOCKET']
  const { send, close } = socket ? await openWay(socket, once(options.warn)) : NOWHERE
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

/** The watchdog's time, where it is meant for this process and not for its parent. */
const watchdogOf = (env: NotifierOptions['env'], pid: number): number | undefined => {
  const microseconds = Number(env['WATCHDOG_USEC'])
  const target = env['WATCHDOG_PID']
  const isOurs = target === undefined || Number(target) === pid
  return isOurs && microseconds > 0 ? microseconds / 1000 : undefined
}

const openWay = async (socket: string, warn: (message: string) => void): Promise<Way> => {
  // unix-dgram cannot name abstract sockets, which begin with @.
  if (!socket.startsWith('/')) return byProgram(socket, warn)
  try {
    const { default: dgram } = await import('unix-dgram')
    const way = dgram.createSocket('unix_dgram')
    way.on('error', (error) => warn(error.message))
    return {
      send: (message) => {
        const bytes = Buffer.from(message)
        way.send(bytes, 0, bytes.length, socket, (error) => error && warn(error.message))
      },
      close: () => {
        way.close()
        return Promise.resolve()
      },
    }
  } catch {
    return byProgram(socket, warn) // not installed: it is optional
  }
}

/** Messages in their order: a child for each, one after the other. */
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
  let told = false
  return (message) => {
    if (!told) warn(`systemd cannot be told: ${message}`)
    told = true
  }
}
