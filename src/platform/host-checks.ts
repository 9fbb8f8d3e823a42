import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { nearest } from './disk-room.ts'

/** One fact about this host. `warning`: the program runs, and somebody should look. */
export interface Check {
  readonly name: string
  readonly level: 'ok' | 'warning' | 'problem'
  readonly message: string
}

const GB = 1e9

/** Type numbers of network file systems in statfs(2): their locks and events are not those of a local disk. */
const NETWORK_DISKS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x0bd00bd0, 'Lustre'],
  [0x00c36400, 'Ceph'],
])

/** Node's version against the least that is supported: 20.19, 22.13 or 24. */
export const checkNode = (version: string): Check => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const least = new Map([
    [20, 19],
    [22, 13],
  ]).get(major)
  const ok = major >= 24 || (least !== undefined && minor >= least)
  return {
    name: 'Node',
    level: ok ? 'ok' : 'problem',
    message: ok ? version : `${version}; needs 20.19, 22.13, or 24 and later`,
  }
}

/** Free space below a path, or below its nearest folder that is there. Less than 5 % or 1 GB is a warning, none a problem. */
export const checkDisk = async (name: string, path: string): Promise<readonly Check[]> => {
  const folder = await nearest(path)
  const { bavail, blocks, bsize, ffree, files, type } = await statfs(folder)
  const free = bavail * bsize
  const share = blocks === 0 ? 1 : bavail / blocks
  const text = `${(free / GB).toFixed(1)} GB free (${Math.floor(share * 100)} %) on the disk of ${folder}`
  const low = share < 0.05 || free < GB
  const network = NETWORK_DISKS.get(type)
  return [
    { name: `${name} disk`, level: free === 0 ? 'problem' : low ? 'warning' : 'ok', message: text },
    ...(files > 0 && ffree / files < 0.02
      ? [
          {
            name: `${name} inodes`,
            level: 'warning',
            message: `${ffree} inodes free on the disk of ${folder}`,
          } as const,
        ]
      : []),
    ...(network === undefined
      ? []
      : [
          {
            name: `${name} mount`,
            level: 'warning',
            message: `${folder} is on ${network}: one archiver alone may use it`,
          } as const,
        ]),
  ]
}

/** What the kernel and the session allow, and which programs are there. */
export const checkSystem = (): readonly Check[] => [checkFlock(), checkWatches(), checkFiles(), checkClock()]

const checkFlock = (): Check => {
  try {
    execFileSync('flock', ['--version'], { stdio: 'ignore' })
    return { name: 'flock', level: 'ok', message: 'is there' }
  } catch {
    return { name: 'flock', level: 'problem', message: 'is missing; install util-linux' }
  }
}

const checkWatches = (): Check => {
  const limit = Number(textOf('/proc/sys/fs/inotify/max_user_watches') ?? '0')
  const enough = limit >= 8192
  return {
    name: 'inotify',
    level: enough ? 'ok' : 'warning',
    message: enough ? `${limit} watches` : `${limit} watches; the daemon polls when they run out`,
  }
}

const checkFiles = (): Check => {
  const limit = /^Max open files\s+(\d+)/m.exec(textOf('/proc/self/limits') ?? '')?.[1]
  const count = limit === undefined ? Infinity : Number(limit)
  return {
    name: 'open files',
    level: count >= 1024 ? 'ok' : 'warning',
    message: count >= 1024 ? `up to ${count}` : `up to ${count}; raise it to 1024 (ulimit -n, LimitNOFILE=)`,
  }
}

/** Only systemd-timesyncd and chrony say so in a file; anything else is unknown, which is not a fault. */
const checkClock = (): Check => {
  const synchronised = ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid'].some(existsSync)
  return {
    name: 'clock',
    level: synchronised ? 'ok' : 'warning',
    message: synchronised
      ? 'is synchronised'
      : 'no time service was seen; run numbers do not need one, alarms do',
  }
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
