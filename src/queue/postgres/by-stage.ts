import type { StoredClaim } from '../../engine/claim-store.ts'

/** Claims by their stage: pg-boss takes the jobs of one queue at a time. In a fixed order, so that two instances lock alike. */
export const byStage = (
  claims: readonly StoredClaim[],
): readonly (readonly [string, readonly StoredClaim[]])[] => {
  const groups = new Map<string, StoredClaim[]>()
  for (const one of claims) groups.set(one.stage, [...(groups.get(one.stage) ?? []), one])
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Runs a change on the claims of each stage; returns those that it did not find to be ours any more. */
export const refused = async (
  claims: readonly StoredClaim[],
  change: (ofOneStage: readonly StoredClaim[]) => Promise<readonly StoredClaim[]>,
): Promise<readonly StoredClaim[]> => {
  const ours = new Set<StoredClaim>()
  for (const [, these] of byStage(claims)) for (const one of await change(these)) ours.add(one)
  return claims.filter((one) => !ours.has(one))
}
