import { escapeText } from '../../../fhicl/json/printer.ts'

/** A name as an index holds it: the bytes of its escaped form. */
export const indexName = (name: string): string =>
  PLAIN.test(name) ? name : Buffer.from(escapeText(name), 'utf8').toString('latin1')

/** The name that an index holds as bytes, for people. */
export const shownName = (name: string): string =>
  PLAIN.test(name) ? name : Buffer.from(name, 'latin1').toString('utf8')

/** Nearly every name: ASCII of which nothing is escaped, so that both forms are the same. */
const PLAIN = /^[ !#-[\]-~]*$/
