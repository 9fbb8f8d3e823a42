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

const WISHES: ReadonlyMap<string, 'always' | 'never' | 'auto'> = new Map([
  ...['--color', '--color=always', '--color=yes', '--color=force'].map((word) => [word, 'always'] as const),
  ...['--no-color', '--color=never', '--color=no', '--color=none'].map((word) => [word, 'never'] as const),
  ...['--color=auto', '--color=tty', '--color=if-tty'].map((word) => [word, 'auto'] as const),
])

/**
 * What a command line says of colours, in the spellings of other programs too, and its other words. It may say so behind every command; the last
 * word counts. Words behind `--` are another program's.
 */
export const colorWish = (
  words: readonly string[],
): { readonly wish: 'always' | 'never' | 'auto'; readonly others: readonly string[] } => {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  const own = words.slice(0, end)
  const wish = own.map((word) => WISHES.get(word)).findLast((found) => found !== undefined) ?? 'auto'
  return { wish, others: [...own.filter((word) => !WISHES.has(word)), ...words.slice(end)] }
}
