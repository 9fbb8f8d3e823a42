import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Databases that artdaq's own tools wrote; see the MANIFEST beside them. */
export const golden = join(resolve('../shared/fixtures'), 'artdaqdb', 'golden')

export const hasGolden = existsSync(golden)

if (!hasGolden) console.warn(`SKIPPED: no artdaqDB fixtures at ${golden}`)
