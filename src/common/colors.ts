/** Select Graphic Rendition codes (ECMA-48, 8.3.117). */
const CODES = { red: [31, 39], green: [32, 39], yellow: [33, 39], bold: [1, 22] } as const

const paint = (color: keyof typeof CODES, text: string): string =>
  `\u001b[${CODES[color][0]}m${text}\u001b[${CODES[color][1]}m`

/** What is coloured wherever it appears: the levels of a log line, the marks of a result, and words that ask for attention. */
const RULES: readonly (readonly [pattern: RegExp, color: keyof typeof CODES])[] = [
  [/(?<= - )WARNING(?= - )|^warning:|⚠/gm, 'yellow'],
  [/(?<= - )(?:ERROR|CRITICAL)(?= - )|^run-archiver:|✗/gm, 'red'],
  [/✓/g, 'green'],
  [/^[A-Z][A-Z -]*(?: \([^)\n]*\))?(?=\n[-=]{20,}$)/gm, 'bold'],
]

/** Colours a text for a terminal. Only colour codes are added: without them the text is what it was. */
export const colored = (text: string): string =>
  RULES.reduce((painted, [pattern, color]) => painted.replace(pattern, (part) => paint(color, part)), text)
