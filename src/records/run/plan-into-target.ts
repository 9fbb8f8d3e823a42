import { ItemError } from '../item-error.ts'
import { standingOf } from '../map/compare-rows.ts'
import type { Mapping } from '../mapping/model.ts'
import type { Plan } from '../plan.ts'
import type { Catalogue } from '../sql/catalogue-column.ts'
import { holdAgainstColumns } from '../sql/column-bounds.ts'
import type { RecordsDatabase } from '../sql/database.ts'
import { catalogueOf } from '../sql/catalogue.ts'
import { storedFor } from '../sql/store-item.ts'

/** Tables and columns of a mapping that the target has not. No item can be stored then. */
export const missingInTarget = (mapping: Mapping, catalogue: Catalogue): readonly string[] => {
  const tables = mapping.tables.filter(({ name }) => !catalogue.has(name)).map(({ name }) => name)
  const columns = mapping.tables.flatMap(({ name, rows }) =>
    rows.flatMap((rule) =>
      rule.columns.flatMap((column) =>
        catalogue.get(name)?.has(column.name) === false ? [`${name}.${column.name}`] : [],
      ),
    ),
  )
  return [...tables, ...new Set(columns)]
}

/**
 * A plan as the target would take it: held against its columns and against the rows that stand there under the same keys. Writes nothing. Constraints of
 * the target are not looked at. `missing` names what the target has not; then the plan is as it was.
 */
export const planIntoTarget = async (
  plan: Plan,
  mapping: Mapping,
  database: RecordsDatabase,
): Promise<{ readonly plan: Plan; readonly missing: readonly string[] }> => {
  if (plan.status === 'failed') return { plan, missing: [] }
  const catalogue = await catalogueOf(database, mapping)
  const missing = missingInTarget(mapping, catalogue)
  if (missing.length > 0) return { plan, missing }
  try {
    holdAgainstColumns(plan.rows, catalogue)
    const stored = await storedFor(database.session, plan, { database, mapping, catalogue })
    const standing = standingOf(mapping, plan.rows, stored)
    const result = standing.type === 'present' ? 'present' : 'stored'
    return {
      plan: { ...plan, result, inserted: standing.type === 'new' ? standing.rows : new Map() },
      missing,
    }
  } catch (error) {
    if (error instanceof ItemError) return { plan: { status: 'failed', error }, missing }
    throw error
  }
}
