import type { YAMLError } from 'yaml'

/** Faults that leave the rest of the file as clear as it was. */
const HARMLESS: ReadonlySet<string> = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED'])

/** Whether what follows the fault can still be read as it was meant. */
export const isHarmless = ({ code }: YAMLError): boolean => HARMLESS.has(code)

/** The faults worth a line: those that harm nothing, and the first other one, because one wrong column makes faults of all lines below it. */
export const faultsToShow = (faults: readonly YAMLError[]): readonly YAMLError[] => {
  const first = faults
    .filter((fault) => !isHarmless(fault))
    .reduce<YAMLError | undefined>(
      (least, fault) => (least && least.pos[0] <= fault.pos[0] ? least : fault),
      undefined,
    )
  return faults.filter((fault) => isHarmless(fault) || fault === first)
}

/** What is wrong and what to do, without a quote of the text, which may be a password. `name`: the setting that stands where the fault is. */
export const explained = ({ code, message }: YAMLError, name: string): string => {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `${name} is set twice in this section`
    case 'TAB_AS_INDENT':
      return 'use spaces, not tabs'
    case 'MULTIPLE_DOCS':
      return 'a second document begins (---); a configuration is one document'
    case 'TAG_RESOLVE_FAILED':
      return 'tags (!name) are not taken'
    case 'MULTILINE_IMPLICIT_KEY':
      return 'write a setting as "name: value", with a space after the colon'
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a value with ": " in it needs quotes; or the next line is indented too far'
    case 'BAD_SCALAR_START':
      return 'a value that begins with this character needs quotes'
    case 'BAD_INDENT':
      return message.startsWith('All ')
        ? 'is indented differently from the lines of its section above it'
        : 'a bracket is opened above this line and not closed'
    default:
      return /^Missing closing ["']quote/.test(message)
        ? 'a quote is opened above this line and not closed'
        : `is not YAML: ${withoutQuotes(message)}`
  }
}

const withoutQuotes = (message: string): string =>
  message.replace(/:? *(["'`]).*\1/s, '').replace(/: .*$/s, '')
