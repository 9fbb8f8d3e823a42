import type { FhiclValue, Parameter, Protection } from './document.ts'

/** A binding that goes against the protection of another; the parser adds the place. */
export class ProtectionViolation extends Error {}

const STRENGTH = { '': 0, '@protect_ignore': 1, '@protect_error': 2 } as const satisfies Record<
  Protection,
  number
>

/** Throws `ProtectionViolation` when a protected table or sequence holds something that asks for less protection. */
export const checkNested = (value: FhiclValue): void => {
  if (value.protection !== '') checkInside(value, STRENGTH[value.protection])
}

const checkInside = (value: FhiclValue, least: number): void => {
  for (const [name, inner] of childrenOf(value)) {
    const strength = STRENGTH[inner.protection]
    if (strength !== 0 && strength < least) {
      throw new ProtectionViolation(`${name} is protected less than what it stands in`)
    }
    checkInside(inner, Math.max(least, strength))
  }
}

const childrenOf = (value: FhiclValue): Iterable<readonly [string | number, FhiclValue]> => {
  if (value.type === 'table') return value.members.map(({ key, value: member }) => [key, member] as const)
  return value.type === 'sequence' ? value.elements.entries() : []
}

/**
 * The members of a table while it is read: a later value takes the earlier one's position, unless that one is protected
 * (docs/FORMATS.md, FHiCL, repeated names).
 */
export class TableMembers {
  readonly #members: Parameter[] = []
  readonly #positions = new Map<string, number>()

  /** Throws `ProtectionViolation`. */
  bind(key: string, value: FhiclValue): void {
    const position = this.#positions.get(key)
    const earlier = position === undefined ? undefined : this.#members[position]
    if (position === undefined || earlier === undefined) {
      this.#positions.set(key, this.#members.length)
      this.#members.push({ key, value })
      return
    }
    const kept = earlier.value.protection
    if (STRENGTH[value.protection] > STRENGTH[kept]) {
      throw new ProtectionViolation(`${key} would be protected more than where it was first given`)
    }
    if (kept === '@protect_error') throw new ProtectionViolation(`${key} is protected`)
    if (kept === '') this.#members[position] = { key, value }
  }

  get all(): readonly Parameter[] {
    return this.#members
  }
}
