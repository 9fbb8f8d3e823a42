import { basename, dirname } from 'node:path'
import { writeJsonBytes } from '../../../fhicl/json/printer.ts'
import { ArchiverError } from '../../../errors.ts'
import { mayBeAttached } from './attachments.ts'
import { type Stored } from './document-reader.ts'
import { shownName } from './index-names.ts'
import { unsealedText } from './document-printer.ts'
import { partsOf } from './mended.ts'
import { mayBeKept } from './originals.ts'
import { asStored, sealFitsContent } from './seal.ts'

/**
 * By what a document is proved (docs/FORMATS.md, "Proof"). `sealed`: its seal covers all that it says. `derived`: an older document of ours, made
 * again from the original that it keeps; its attachments are not covered. `foreign`: another program stored it, and nothing of ours is in it.
 */
export type Proof = 'sealed' | 'derived' | 'foreign'

/**
 * Proves a document that stands in a collection, or throws STORE_CORRUPT, naming the file. Whatever holds a trace of ours is ours: one whose seal
 * or original cannot be read any more is damaged, and never another program's.
 */
export function prove(stored: Stored): Proof {
  requireIdentity(stored)
  proveSeal(stored)
  if (stored.hasSeal) return 'sealed'
  if (!stored.hasRoom) throw damaged(stored, 'it has no list "rawdata" or no list "attachments"')
  if (!hasTraces(stored)) return 'foreign'
  requireDerived(stored)
  return 'derived'
}

/** As `prove`, of a document that may stand beside its collection, and without making anything again: a seal, or that it can be read to its end. */
export function proveSeal(stored: Stored): void {
  if (stored.fitsSeal === true) return
  stored.checkWhole()
  if ((stored.fitsSeal === false || stored.hasSeal) && !sealFitsContent(stored.json))
    throw damaged(stored, 'it does not fit its seal')
}

/** The file's name and folder, against what the document calls itself. */
function requireIdentity(stored: Stored): void {
  if (stored.ownOid !== shownName(stored.facts.oid))
    throw damaged(stored, `it calls itself ${JSON.stringify(stored.ownOid)}`)
  const folder = basename(dirname(stored.path))
  if (stored.ownCollection !== folder)
    throw damaged(stored, `it says that it belongs to ${JSON.stringify(stored.ownCollection)}`)
}

/** Whether anything in a document may be ours: artdaq's programs leave both lists empty. */
export const hasTraces = ({ rawdata, attachments, hasSeal }: Stored): boolean =>
  hasSeal || rawdata.some(mayBeKept) || attachments.some(mayBeAttached)

/** Makes a document of ours again from the text that it keeps, and compares. */
function requireDerived(stored: Stored): void {
  const { facts, originals, rawdata, attachments } = stored
  stored.checkOriginals()
  if (originals.text === undefined) throw damaged(stored, 'what it keeps of its original cannot be read')
  const [entity = '', configuration = '', run = ''] = [
    facts.entities[0],
    facts.configurations[0]?.name,
    facts.runs[0],
  ].map((name) => name && shownName(name))
  const parts = partsOf(originals.text, entity)
  const expected = unsealedText(parts, {
    oid: stored.ownOid,
    collection: stored.ownCollection,
    entity,
    configuration,
    version: shownName(facts.version),
    run,
    rawdata,
    attachments,
    stamp: stored.created,
  })
  const bytes = Buffer.concat([...expected])
  if (bytes.equals(stored.bytes) || bytes.equals(writeJsonBytes(asStored(stored.json)))) return
  throw damaged(stored, 'it is not what its original gives')
}

const damaged = ({ path, facts }: Stored, what: string): ArchiverError => {
  const name = facts.entities.map(shownName).join(', ')
  return new ArchiverError('STORE_CORRUPT', `${path}${name === '' ? '' : ` (${name})`} is damaged: ${what}`, {
    hint: 'run-archiver artdaq repair writes it again where its seal proves what was stored. Otherwise move the file out of its collection and import the run again, or put it back from a backup.',
  })
}
