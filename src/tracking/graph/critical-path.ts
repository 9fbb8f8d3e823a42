/** A task in the graph of dependencies. */
export interface GraphTask {
  readonly name: string
  readonly dependsOn: readonly string[]
  /** Median of its good executions in seconds; undefined when it has none. */
  readonly seconds: number | undefined
}

export interface CriticalPath {
  /** First to last. */
  readonly tasks: readonly string[]
  /** Their medians together. Tasks without a median count as 0, and are named in `unknown`. */
  readonly seconds: number
  readonly unknown: readonly string[]
  /** The task on the path that takes longest; undefined when no duration is known. */
  readonly bottleneck: string | undefined
}

/** Tasks that depend on themselves through others, as one loop; undefined when the graph has none. */
export const dependencyLoop = (tasks: readonly GraphTask[]): readonly string[] | undefined => {
  const byName = new Map(tasks.map((task) => [task.name, task]))
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
    const start = path.indexOf(name)
    if (start !== -1) return path.slice(start)
    if (done.has(name)) return undefined
    for (const next of byName.get(name)?.dependsOn ?? []) {
      const loop = visit(next, [...path, name])
      if (loop) return loop
    }
    done.add(name)
    return undefined
  }
  for (const { name } of tasks) {
    const loop = visit(name, [])
    if (loop) return loop
  }
  return undefined
}

/**
 * The chain of dependencies that takes longest, by median durations. A dependency that is not registered counts as a task without a
 * duration. A loop has no path: then `tasks` is empty (`dependencyLoop` names it).
 */
export const criticalPath = (tasks: readonly GraphTask[]): CriticalPath => {
  const none = { tasks: [], seconds: 0, unknown: [], bottleneck: undefined }
  if (dependencyLoop(tasks)) return none
  const byName = new Map(tasks.map((task) => [task.name, task]))
  const secondsOf = (name: string): number => byName.get(name)?.seconds ?? 0
  const longest = new Map<string, { readonly path: readonly string[]; readonly seconds: number }>()
  const to = (name: string): { readonly path: readonly string[]; readonly seconds: number } => {
    const known = longest.get(name)
    if (known) return known
    const before = (byName.get(name)?.dependsOn ?? []).map(to)
    const worst = before.reduce((a, b) => (longer(b, a) ? b : a), {
      path: [] as readonly string[],
      seconds: 0,
    })
    const found = { path: [...worst.path, name], seconds: worst.seconds + secondsOf(name) }
    longest.set(name, found)
    return found
  }
  const worst = tasks
    .map(({ name }) => to(name))
    .reduce<{ path: readonly string[]; seconds: number } | undefined>(
      (a, b) => (a === undefined || longer(b, a) ? b : a),
      undefined,
    )
  if (!worst) return none
  const known = worst.path.filter((name) => byName.get(name)?.seconds !== undefined)
  return {
    tasks: worst.path,
    seconds: worst.seconds,
    unknown: worst.path.filter((name) => byName.get(name)?.seconds === undefined),
    bottleneck: known.reduce<string | undefined>(
      (a, b) => (a === undefined || secondsOf(b) > secondsOf(a) ? b : a),
      undefined,
    ),
  }
}

type Chain = { readonly path: readonly string[]; readonly seconds: number }

/** By time, then by length, so that the answer does not depend on the order of the tasks' durations alone. */
const longer = (a: Chain, b: Chain): boolean =>
  a.seconds > b.seconds || (a.seconds === b.seconds && a.path.length > b.path.length)
