import type { At, Problems } from '../mapping/document.ts'
import type { Codes } from '../mapping/model.ts'
import type { Contract, ContractMapping } from './contract-schema.ts'

/** A mapping type such as `add_score(V4)` in its name and what stands in brackets. */
export const mappingTypes = ({
  mapping_type: types,
}: ContractMapping): { name: string; argument: string | undefined }[] =>
  (types ?? []).map((type) => {
    const [, name = type, argument] = /^(\w+)\((.*)\)$/.exec(type.trim()) ?? []
    return { name: name.trim(), argument }
  })

/** Mapping types that make no rows and have an effect, or none on purpose. */
export const PLAIN_TYPES = new Set(
  'enum char_to_bit boolean_to_bit numbers_only extract_numeric calculated_field last_valid_pr_contact last_valid_sec_contact authu_contact curr_address_only identity_insert extract_date default_getutcdate_if_null'.split(
    ' ',
  ),
)

/** Whether an entry has one of these mapping types. */
export const has = (mapping: ContractMapping, ...names: string[]): boolean =>
  mappingTypes(mapping).some(({ name }) => names.includes(name))

/** Whether bits are made of what an earlier mapping type gives. */
export const isLaterStep = (mapping: ContractMapping): boolean =>
  mappingTypes(mapping).findIndex(({ name }) => name === 'char_to_bit' || name === 'boolean_to_bit') > 0

/** The enum or the bits of an entry; undefined where it has none. */
export const codesOf = (
  mapping: ContractMapping,
  at: At,
  { contract, problems }: { readonly contract: Contract; readonly problems: Problems },
): Codes | undefined => {
  const bits = mappingTypes(mapping).find(
    ({ name }) => name === 'char_to_bit' || name === 'boolean_to_bit',
  )?.name
  if (bits !== undefined) {
    const values = new Map(
      Array.from(contract.bit_conversions?.get(bits) ?? [], ([code, bit]) => [code, Number(bit)]),
    )
    // What an earlier step gives as nothing ends the chain: no bit is made of it.
    if (isLaterStep(mapping)) values.delete('')
    else if (!values.has('')) values.set('', 0)
    return { name: bits, ignoreCase: true, values, otherwise: 0, quiet: false }
  }
  if (!has(mapping, 'enum')) return undefined
  const name = mapping.enum_name ?? mapping.target_column ?? ''
  const table = contract.enum_mappings?.get(name)
  if (!table)
    problems.add(at, `${mapping.target_table}.${mapping.target_column ?? ''}: enum_mappings has no ${name}`)
  const values = new Map<string, string | number>()
  for (const [code, value] of table ?? [])
    values.set(code, typeof value === 'boolean' ? Number(value) : value)
  return { name, ignoreCase: true, values, otherwise: values.get(''), quiet: false }
}
