import * as z from 'zod'
import type { At, Node } from '../mapping/document.ts'

const text = z.string()
const names = z.union([z.array(text), text]).transform((value) =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean)
    : value,
)
/** Members by name. zod's own `record` leaves one out that is called `__proto__`, which a code or an attribute may be. */
const record = <Value>(value: z.ZodType<Value>) =>
  z
    .custom<object>((given) => typeof given === 'object' && given !== null && !Array.isArray(given), {
      message: 'Invalid input: expected names with values',
    })
    .transform((given, context): ReadonlyMap<string, Value> => {
      const members = new Map<string, Value>()
      for (const [name, member] of Object.entries(given)) {
        const read = value.safeParse(member)
        if (read.success) members.set(name, read.data)
        else
          for (const { message, path: below } of read.error.issues)
            context.issues.push({ code: 'custom', message, path: [name, ...below], input: member })
      }
      return members
    })
const NAME = '(?:[\\p{L}_][\\p{L}\\p{N}_.-]*:)?[\\p{L}_][\\p{L}\\p{N}_.-]*'
/** A name or a path without its prefixes: the original's contract binds none, so that they say nothing. */
const local = (path: string): string => path.replaceAll(/(?<=^|\/)[^/:]+:/g, '')
const path = text
  .regex(new RegExp(`^(?:/${NAME})+$`, 'u'), 'is no path of elements such as /a/b')
  .transform(local)
const attribute = text.regex(new RegExp(`^(?:${NAME})?$`, 'u'), 'is no name of an attribute').transform(local)
const scalar = z.union([z.string(), z.number(), z.boolean()])

const mapping = z.object({
  xml_path: path,
  xml_attribute: attribute.nullish(),
  target_table: text,
  target_column: text.nullish(),
  data_type: text,
  data_length: z.number().int().nullish(),
  nullable: z.boolean().nullish(),
  required: z.boolean().nullish(),
  mapping_type: names.nullish(),
  default_value: scalar.nullish(),
  expression: text.nullish(),
  enum_name: text.nullish(),
  exclude_default_when_record_empty: z.boolean().nullish(),
})

const rule = z.object({
  element_type: text,
  xml_parent_path: text.nullish(),
  xml_child_path: path,
  required_attributes: record(z.union([z.boolean(), z.array(text)])).transform(
    (members) => new Map(Array.from(members, ([name, values]) => [local(name), values])),
  ),
})

const relationship = z.object({
  parent_table: text,
  child_table: text,
  foreign_key_column: text,
  xml_parent_path: text.nullish(),
  xml_child_path: text.transform(local),
})

/** The original's mapping contract, as far as it decides what is stored. Everything else in it is for people. */
export const CONTRACT = z.object({
  xml_root_element: text.transform(local),
  xml_application_path: path,
  source_table: text.nullish(),
  source_column: text.nullish(),
  source_application_table: text.nullish(),
  target_schema: text.nullish(),
  table_insertion_order: z.array(text).nullish(),
  element_filtering: z.object({ filter_rules: z.array(rule) }).nullish(),
  relationships: z.array(relationship).nullish(),
  enum_mappings: record(record(scalar)).nullish(),
  bit_conversions: record(record(z.union([z.number(), z.boolean()]))).nullish(),
  mappings: z.array(mapping),
})

export type Contract = z.output<typeof CONTRACT>
export type ContractMapping = z.output<typeof mapping>
export type FilterRule = z.output<typeof rule>

/** A document as plain values. */
export const plainOf = (node: Node): unknown => {
  if (node.type === 'scalar') return node.value
  if (node.type === 'list') return node.items.map(plainOf)
  return Object.fromEntries(node.entries.map(({ name, value }) => [name, plainOf(value)]))
}

/** Where the value at a path of names and indexes stands; the nearest one around it where it is missing. */
export const placeIn = (root: Node, path: readonly PropertyKey[]): At => {
  let node = root
  for (const step of path) {
    const next =
      node.type === 'list'
        ? node.items[Number(step)]
        : node.type === 'map'
          ? node.entries.find(({ name }) => name === step)?.value
          : undefined
    if (!next) break
    node = next
  }
  return node.at
}
