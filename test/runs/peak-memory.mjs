// Loaded before the program: writes its peak of resident memory, kB, to the file $PEAK_FILE. $PEAK_MORE bytes are held beside, as a control.
import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const more = Buffer.alloc(Number(process.env.PEAK_MORE ?? 0), 1)
  process.on('exit', () => {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
    writeFileSync(process.env.PEAK_FILE, more.length === Infinity ? '' : peak)
  })
}
