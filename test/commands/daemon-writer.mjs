// Writes run records as DAQInterface does (START copy, file by file; start line; stop line; rc_info; modes 0444 and 0555),
// several runs at a time, out of order, some of which never end. Usage: daemon-writer.mjs DIRECTORY FIRST COUNT SECONDS SEED
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const [directory, first, count, seconds, seed] = [process.argv[2], ...process.argv.slice(3).map(Number)]

let state = seed
/** From 0 to 1, the same for the same seed (a linear congruential generator). */
const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31

const append = (path, text) => {
  chmodSync(path, 0o644)
  appendFileSync(path, text)
  chmodSync(path, 0o444)
}

const write = async (run, neverEnds) => {
  const folder = join(directory, String(run))
  mkdirSync(folder)
  for (let part = 0; part < 6; part++) {
    writeFileSync(join(folder, `comp0${part}.fcl`), `part: ${part}\nrun: ${run}\n`, { mode: 0o444 })
    await pause(random() * 80)
  }
  writeFileSync(join(folder, 'metadata.txt'), 'Config name: soak\nComponent #0: comp00\n')
  chmodSync(join(folder, 'metadata.txt'), 0o444)
  chmodSync(folder, 0o555)
  await pause(random() * 500)
  append(join(folder, 'metadata.txt'), '\nDAQInterface start time: Fri Nov 20 10:00:00 2026\n')
  if (neverEnds) return
  await pause(random() * 3000)
  append(join(folder, 'metadata.txt'), '\nDAQInterface stop time: Fri Nov 20 11:00:00 2026\n')
  await pause(random() * 300)
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'rc_info_stop.txt'), `run ${run}\n`)
  chmodSync(folder, 0o555)
}

const runs = Array.from({ length: count }, (_, i) => first + i)
for (let i = 0; i < runs.length; i++) {
  const j = Math.min(runs.length - 1, i + Math.floor(random() * 5))
  ;[runs[i], runs[j]] = [runs[j], runs[i]]
}
const going = []
for (const run of runs) {
  going.push(write(run, run % 10 === 7))
  await pause((seconds * 1000) / count)
}
await Promise.all(going)
