import { colorWish } from './common/colors.ts'
import { wasIdle } from './runs/idle/fast-path.ts'

/**
 * Whether an incremental pass has nothing to do, by the stamp of the last one: then it is over before the program is loaded. A bundle of its own, which
 * imports next to nothing.
 */
export const endsIdle = (): boolean => {
  // A reader that went away is no reason to fail.
  process.stdout.on('error', () => undefined)
  return wasIdle({
    argv: colorWish(process.argv.slice(2)).others,
    env: process.env,
    version: __VERSION__,
    out: (text) => void process.stdout.write(text),
  })
}
