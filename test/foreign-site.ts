import { cpSync, readdirSync, utimesSync } from 'node:fs'
import { Site } from './site.ts'

/**
 * Run records 51001 to 51003, and what artdaq's own tools stored of them: the boot document of 51001 says another PMT_port than its record, and
 * the tpc01 document of 51002 is missing. None of the three has a manifest of ours.
 */
export const damagedForeignSite = (): Site => {
  const site = new Site({ source: '  settle_seconds: 0\n  incomplete_after: 0' })
  const fixture = 'test/fixtures/foreign-run-damaged'
  cpSync(`${fixture}/records`, site.path('records'), { recursive: true })
  cpSync(`${fixture}/db`, site.path('db'), { recursive: true })
  for (const run of readdirSync(site.path('records'))) utimesSync(site.path('records', run), 1, 1)
  return site
}
