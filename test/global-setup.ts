import { spawnSync } from 'node:child_process'

/** The command line tests start the built program, so the build comes first, once. Where it fails, those tests fail by themselves. */
export default function setup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  if (status !== 0)
    console.error('the build failed: tests that start dist/main.js will fail or test an older build')
}
