import type { List, Requirement } from '../mapping/model.ts'
import { parsePath, type Path, type PathNames } from '../mapping/paths.ts'
import type { Contract, FilterRule } from './contract-schema.ts'

/** The original compares attribute names without case, and knows no namespaces. */
export const NAMES: PathNames = { prefixes: undefined, ignoreAttributeCase: true }
export const attribute = (name: string): Path => parsePath(`@${name}`, NAMES)

/** A filter rule of the contract, as a list. */
export interface RuleList {
  readonly list: List
  readonly elementPath: string
  /** The last segment of the path: the element's name. */
  readonly element: string
  /** The attribute that makes an element of a contact list the same one. */
  readonly identity: string | undefined
  /** The attribute whose values are given, the first one preferred. */
  readonly kind: { readonly name: string; readonly values: readonly string[] } | undefined
  /** The contact list that this one is below of. */
  readonly parent: RuleList | undefined
}

/** What the original asks of a person, so that one who is nothing but a number does not count. */
const PERSON = ['birth_date', 'first_name', 'last_name', 'ssn']
/**
 * The contract's filter rules that name persons, and those that name what is below persons. A list has the name of its rule's
 * `element_type`, and that of its element where two rules have one type.
 */
export const contractLists = (contract: Contract): RuleList[] => {
  const given = contract.element_filtering?.filter_rules ?? []
  const rules = given.map((rule) => ({ ...rule, name: nameOf(rule, given) }))
  const contacts = rules.filter((rule) => rule.element_type === 'contact').map((rule) => contactList(rule))
  const others = rules
    .filter((rule) => rule.element_type !== 'contact')
    .map((rule) =>
      childList(
        rule,
        contacts.find(({ elementPath }) => rule.xml_child_path.startsWith(`${elementPath}/`)),
        contract,
      ),
    )
  return [...contacts, ...others]
}

interface NamedRule extends FilterRule {
  readonly name: string
}

const nameOf = (rule: FilterRule, all: readonly FilterRule[]): string =>
  all.filter(({ element_type: type }) => type === rule.element_type).length > 1
    ? lastOf(rule.xml_child_path)
    : rule.element_type

const contactList = (rule: NamedRule): RuleList => {
  const identity = [...rule.required_attributes].find(([, value]) => value === true)?.[0]
  const kind = kindOf(rule)
  const require = requirementsOf(rule)
  return {
    elementPath: rule.xml_child_path,
    element: lastOf(rule.xml_child_path),
    identity,
    kind,
    parent: undefined,
    list: {
      ...plainList(rule, require),
      anyOf: PERSON.map(attribute),
      unique:
        identity === undefined
          ? undefined
          : {
              by: [attribute(identity)],
              prefer: require.find(({ values }) => values !== 'present'),
              then: 'last',
            },
    },
  }
}

const childList = (rule: NamedRule, parent: RuleList | undefined, contract: Contract): RuleList => {
  const kind = kindOf(rule)
  const required = new Set(Array.from(rule.required_attributes.keys(), (name) => name.toLowerCase()))
  const content = contract.mappings
    .filter(({ xml_path: path }) => path === rule.xml_child_path)
    .flatMap(({ xml_attribute: name }) =>
      name && !required.has(name.toLowerCase()) ? [name.toLowerCase()] : [],
    )
  const plain = plainList(rule, requirementsOf(rule))
  return {
    elementPath: rule.xml_child_path,
    element: lastOf(rule.xml_child_path),
    identity: undefined,
    kind,
    parent,
    list: {
      ...plain,
      each: parent
        ? {
            type: 'list',
            list: parent.list.name,
            below: rule.xml_child_path.slice(parent.elementPath.length + 1).split('/'),
            text: `${parent.list.name}/${lastOf(rule.xml_child_path)}`,
          }
        : plain.each,
      anyOf: [...new Set(content)].map(attribute),
      unique:
        parent?.identity !== undefined && kind
          ? {
              by: [parsePath(`../@${parent.identity}`, NAMES), attribute(kind.name)],
              prefer: undefined,
              then: 'last',
            }
          : undefined,
    },
  }
}

const plainList = (rule: NamedRule, require: readonly Requirement[]): List => ({
  name: rule.name,
  each: { type: 'path', path: parsePath(rule.xml_child_path, NAMES), text: rule.xml_child_path },
  require,
  ignoreCase: true,
  otherwise: 'skip',
  anyOf: [],
  unique: undefined,
  min: 0,
  max: Infinity,
})

const requirementsOf = ({ required_attributes: required }: FilterRule): Requirement[] =>
  [...required].flatMap(([name, values]) =>
    values === false ? [] : [{ path: attribute(name), values: values === true ? 'present' : values }],
  )

const kindOf = ({ required_attributes: required }: FilterRule): RuleList['kind'] => {
  for (const [name, values] of required) if (Array.isArray(values)) return { name, values }
  return undefined
}

export const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
