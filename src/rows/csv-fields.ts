/** Blanks that csv-parse takes from the ends of fields, and that are part of an id. */
export const OTHER_BLANK = /[^\S \t\r\n]/

/** A field between quotes or without them, up to the next comma or the end. */
const FIELD = /[ \t\r\n]*(?:"((?:[^"]|"")*)"[ \t\r\n]*|([^",]*))(,|$)/y

/** The fields of one record, as csv-parse found it. Throws where such a blank stands beside quotes: whether it is part of the field cannot be known. */
export const fieldsOf = (text: string, line: number): readonly string[] => {
  const fields: string[] = []
  for (let at = 0, end = ','; end === ',';) {
    FIELD.lastIndex = at
    const found = FIELD.exec(text)
    if (!found)
      throw new Error(`line ${line}: beside quotes stands a blank that is neither a space nor a tab`)
    const [whole, quoted, plain = '', next = ''] = found
    fields.push(quoted?.replaceAll('""', '"') ?? plain.replace(/[ \t\r\n]+$/, ''))
    at += whole.length
    end = next
  }
  return fields
}

/** Stands for a field that is written `""`: an empty text. One without quotes says nothing, and is `''`. No key can hold it. */
export const EMPTY_TEXT = '\0""'

/** The fields with `EMPTY_TEXT` for those that the record writes so. */
export const withEmptyTexts = (fields: readonly string[], text: string): readonly string[] => {
  FIELD.lastIndex = 0
  return fields.map((field) => (FIELD.exec(text)?.[1] === '' && field === '' ? EMPTY_TEXT : field))
}
