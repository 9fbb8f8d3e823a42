// Less memory for a process that lives for months and is mostly idle: docs/BENCHMARKS.md has the figures.
const v8 = require('node:v8')

/** Both halves of a new space of 4 MB: half of it costs a third more processor time. By itself it grows to four times as much, and does not shrink. */
const ENOUGH = 8_000_000
/** Milliseconds until the program is loaded and listens. */
const LOADED = 2000

const newSpace = () =>
  v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? ENOUGH
const growBy = (factor) => v8.setFlagsFromString(`--semi-space-growth-factor=${factor}`)

v8.setFlagsFromString('--heap-growing-percent=10')
// The largest size of the new space can only be set when Node starts. By which factor it grows, V8 asks each time: not while the program is
// loaded, then once, by objects that are held until it has grown.
growBy(1)
setTimeout(() => {
  growBy(4)
  const held = []
  while (held.length < 60 && newSpace() < ENOUGH) held.push(Array.from({ length: 4096 }, () => ({})))
  growBy(1)
}, LOADED).unref()
