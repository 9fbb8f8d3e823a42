import { colorWish } from './common/colors.ts'
import { wasIdle } from './runs/idle/fast-path.ts'
import type { Invocation } from './runs/idle/idle-stamp.ts'

/** What an idle pass is given of the process. */
type Given = Pick<Invocation, 'argv' | 'env' | 'out'>

/**
 * Whether an incremental pass has nothing to do, by the stamp of the last one, and said so: then it is over before the program is loaded. A bundle of its own,
 * which imports next to nothing.
 */
export const endsIdle = ({ argv, env, out }: Given = ofProcess()): boolean =>
  wasIdle({ argv: colorWish(argv).others, env, out, version: __VERSION__ })

const ofProcess = (): Given => {
  // A reader that went away is no reason to fail.
  process.stdout.on('error', () => undefined)
  const out = (text: string): void => void process.stdout.write(text)
  return { argv: process.argv.slice(2), env: process.env, out }
}
