const NAME = String.raw`[\p{L}_:][\p{L}\p{N}\p{M}._:·-]*`
/** What may hold an ampersand, or one that begins no reference. Nothing here goes back over what it has read. */
const AMPERSAND = new RegExp(
  String.raw`<!--|<!\[CDATA\[|<\?|&(?:#[0-9]+|#x[0-9a-fA-F]+|${NAME});|(?<bare>&)`,
  'gu',
)
const ENDS: Readonly<Record<string, string>> = { '<!--': '-->', '<![CDATA[': ']]>', '<?': '?>' }

/**
 * The place of the first ampersand that begins no reference, before the offset `until`; undefined where there is none. The parser reads on for
 * the semicolon, so that it finds the fault only at the end of the document.
 */
export const bareReference = (
  text: string,
  until: number,
): { readonly line: number; readonly column: number } | undefined => {
  AMPERSAND.lastIndex = 0
  for (let match = AMPERSAND.exec(text); match && match.index < until; match = AMPERSAND.exec(text)) {
    const end = ENDS[match[0]]
    if (end !== undefined) {
      const at = text.indexOf(end, AMPERSAND.lastIndex)
      if (at < 0) return undefined
      AMPERSAND.lastIndex = at + end.length
    } else if (match.groups?.['bare'] !== undefined) {
      const before = text.slice(0, match.index).split(/\r\n|\r|\n/)
      return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
    }
  }
  return undefined
}
