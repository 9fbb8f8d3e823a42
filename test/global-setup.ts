import { execFileSync } from 'node:child_process'

/** The command line tests start the built program, so the build comes first, once. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
}
