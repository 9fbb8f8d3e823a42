import { spawnSync } from 'node:child_process'
import type { TestProject } from 'vitest/node'
import { launchMariadb, prepareMariadb } from './mariadb.ts'
import { postgresAnswers, startPostgres } from './postgres.ts'

type End = () => Promise<void> | void

/**
 * The command line tests start the built program, so the build comes first, once. Where it fails, those tests fail by themselves.
 *
 * The integration tier starts a PostgreSQL and a MariaDB for all of its files, in memory, which takes half of their time; the fault tier uses those of the
 * machine, which have a disk and are other versions. Each takes the other's where its own are not to be had, and both what PGHOST, PGPORT, MYSQL_HOST or
 * MYSQL_PORT name.
 */
export default async function setup({ name }: TestProject): Promise<End> {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  if (status !== 0)
    console.error('the build failed: tests that start dist/main.js will fail or test an older build')
  const isFast = name === 'integration'
  const ends: End[] = [prepareMariadb(), await postgres(isFast), isFast ? await mariadb() : nothing]
  return async () => {
    for (const end of ends.reverse()) await end()
  }
}

const nothing: End = () => undefined

const postgres = async (isFast: boolean): Promise<End> => {
  if (process.env['PGHOST'] || process.env['PGPORT']) return nothing
  return (!isFast && (await postgresAnswers()) ? undefined : await startPostgres()) ?? nothing
}

const mariadb = async (): Promise<End> => {
  if (process.env['MYSQL_HOST'] || process.env['MYSQL_PORT']) return nothing
  // As distributions configure it.
  const server = await launchMariadb(
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_general_ci',
  )
  if (!server) return nothing
  process.env['MYSQL_PORT'] = String(server.port)
  return () => server.stop()
}
