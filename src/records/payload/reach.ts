/** Which elements the paths of a mapping can reach. What they cannot is read for its faults, but not kept. */
export interface Reach {
  /** By name; an element that is not here is not kept, nor is anything below it. */
  readonly children: ReadonlyMap<string, Reach>
  /** Keep everything below, whatever its name. */
  readonly all: boolean
}

/** An element of any of these names is kept wherever it stands: expressions find elements by name. */
export interface Selection {
  readonly root: Reach
  readonly anywhere: ReadonlySet<string>
}

interface Growing {
  readonly children: Map<string, Growing>
  all: boolean
}

/** The selection of absolute element paths, each from the root's name on. */
export const selectionOf = (paths: Iterable<readonly string[]>, anywhere: Iterable<string>): Selection => {
  const root: Growing = { children: new Map(), all: false }
  for (const steps of paths) {
    let at = root
    for (const step of steps) {
      const next: Growing = at.children.get(step) ?? { children: new Map(), all: false }
      at.children.set(step, next)
      at = next
    }
  }
  return { root, anywhere: new Set(anywhere) }
}

export const KEEP_ALL: Selection = { root: { children: new Map(), all: true }, anywhere: new Set() }
