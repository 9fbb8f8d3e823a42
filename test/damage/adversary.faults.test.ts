import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomFrom } from '../crash/random.ts'
import { damagedBy } from './adversary.ts'
import { functions } from './commands.ts'
import { DamagedSite } from './damaged-site.ts'
import { ARCHIVE, WORK_DIR } from './deeds-archive.ts'
import { ARTDAQDB } from './deeds-artdaqdb.ts'
import { PROOF } from './deeds-proof.ts'
import { STRANGERS } from './deeds-strangers.ts'
import { Trial } from './try-damages.ts'

/** All of them with `npm run test:damage`, every so many otherwise. `ARCHIVER_DEED`: those whose name holds it. */
const EVERY = Number(process.env['ARCHIVER_DAMAGES'] ?? 0) >= 1000 ? 1 : 12
const NAMED = process.env['ARCHIVER_DEED']
const random = randomFrom(7)

let site: DamagedSite
let trial: Trial
beforeAll(async () => {
  site = new DamagedSite()
  await site.prepare(functions(site.site))
  trial = await Trial.on(site, functions(site.site))
}, 300_000)
afterAll(() => site.site.remove())

describe.each(
  Object.entries({
    artdaqDB: ARTDAQDB,
    archive: ARCHIVE,
    work_dir: WORK_DIR,
    'each proof': PROOF,
    'any place': STRANGERS,
  }),
)('what is done to %s on purpose', (place, deeds) => {
  const chosen = deeds.filter((deed, n) =>
    NAMED === undefined ? n % EVERY === 0 : `${place}: ${deed.what}`.includes(NAMED),
  )
  // A name may be one of another place.
  if (chosen.length === 0) it.skip('is another test')
  it.each(chosen)(
    'gives no reader wrong bytes, and is found: $what',
    async (deed) => {
      expect(await trial.after(() => damagedBy(deed, site), random, deed)).toEqual([])
    },
    120_000,
  )
})
