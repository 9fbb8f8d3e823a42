import { isSection, type Key, type Section } from '../../src/config/schema.ts'
import { KEYS } from '../../src/config/settings.ts'
import type { JsonSchema } from '../../src/config/value-types.ts'

/** A value may be written with references; what they stand for is known only where the program runs. */
const REFERENCE: JsonSchema = { type: 'string', pattern: '\\$\\{' }

/** docs/config.schema.json: what an editor needs to complete and check a configuration while it is written (JSON Schema 2020-12). */
export const configSchema = (): string =>
  `${JSON.stringify(
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'Configuration of run-archiver',
      ...sectionSchema({ doc: 'docs/CONFIG.md explains every setting.', keys: KEYS }),
    },
    null,
    2,
  )}\n`

const sectionSchema = ({ doc, keys, short }: Section): JsonSchema => ({
  description: doc,
  type: ['object', 'null', ...(short === undefined ? [] : ['string'])],
  properties: Object.fromEntries(Object.entries(keys).flatMap(([name, row]) => properties(name, row))),
  additionalProperties: false,
})

const properties = (name: string, row: Key | Section): [string, JsonSchema][] => {
  if (isSection(row)) return [[name, sectionSchema(row)]]
  const { $schema: _, ...json } = row.kind.json
  const value = { description: row.doc, anyOf: [json, REFERENCE, { type: 'null' }] }
  if (!row.kind.secret) return [[name, value]]
  const file = { description: `The file that holds \`${name}\`.`, type: 'string' }
  return [
    [name, value],
    [`${name}_file`, file],
  ]
}
