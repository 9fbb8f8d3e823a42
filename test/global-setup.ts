import { spawnSync } from 'node:child_process'
import { postgresAnswers, startPostgres } from './postgres.ts'

/**
 * The command line tests start the built program, so the build comes first, once. Where it fails, those tests fail by themselves. Where no
 * PostgreSQL answers, one is started for all of them.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  if (status !== 0)
    console.error('the build failed: tests that start dist/main.js will fail or test an older build')
  return (await postgresAnswers()) ? undefined : startPostgres()
}
