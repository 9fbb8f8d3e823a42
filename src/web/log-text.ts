/** Characters of one line that are shown. */
const LINE = 4000

/** What a terminal would obey: colours and other control sequences, titles, single escapes (ECMA-48). */

const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g
/** What a browser would obey: characters that turn the direction of those behind them, or cannot be seen. */

const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/**
 * A line of a log as text that can be trusted to look as it is: colours are left out, and what would turn or hide other characters stands as
 * its number, such as ⟨U+202E⟩. A long line is cut, and says so.
 */
export const visibleLine = (line: string): string => {
  const plain = plainLine(line.slice(0, LINE * 2))
  return plain.length > LINE || line.length > LINE * 2
    ? `${plain.slice(0, LINE)} … ${line.length} characters`
    : plain
}

/** The same, however long the line is. */
export const plainLine = (line: string): string =>
  line
    .replace(/\r$/, '')
    .replace(SEQUENCES, '')
    .replace(UNSEEN, (one) => `⟨U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`)
