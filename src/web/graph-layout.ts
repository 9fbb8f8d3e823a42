import library from '@dagrejs/dagre'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface GraphLayout {
  readonly width: number
  readonly height: number
  /** The middle of each box. */
  readonly places: ReadonlyMap<string, Point>
  readonly edges: readonly { readonly from: string; readonly to: string; readonly bends: readonly Point[] }[]
}

/** What is used of dagre's graph. */
interface Dagre {
  setGraph(label: object): void
  setDefaultEdgeLabel(label: () => object): void
  setNode(name: string, label: object): void
  setEdge(from: string, to: string): void
  edges(): { readonly v: string; readonly w: string }[]
  node(name: string): Point
  edge(from: string, to: string): { readonly points?: readonly Point[] }
  graph(): { readonly width?: number; readonly height?: number }
}

// Its own types do not resolve.
const dagre = library as unknown as {
  readonly graphlib: { readonly Graph: new () => Dagre }
  layout(graph: Dagre): void
}

export const BOX = { width: 176, height: 62 } as const

/** Layouts that are kept: the shape of a graph seldom changes, its states do each second. */
const KEPT = 20
const kept = new Map<string, GraphLayout>()

/** Places the boxes of a graph from left to right, or from top to bottom. Dependencies that are not among the tasks are left out. */
export const layoutOf = (
  tasks: readonly { readonly task: string; readonly dependsOn: readonly string[] }[],
  direction: 'right' | 'down' = 'right',
): GraphLayout => {
  const key = JSON.stringify([direction, tasks.map(({ task, dependsOn }) => [task, dependsOn])])
  const known = kept.get(key)
  if (known) return known
  const graph = new dagre.graphlib.Graph()
  graph.setGraph(
    direction === 'right'
      ? { rankdir: 'LR', nodesep: 22, ranksep: 58, marginx: 4, marginy: 8 }
      : { rankdir: 'TB', nodesep: 22, ranksep: 42, marginx: 4, marginy: 8 },
  )
  graph.setDefaultEdgeLabel(() => ({}))
  const names = new Set(tasks.map(({ task }) => task))
  for (const name of names) graph.setNode(name, { ...BOX })
  for (const { task, dependsOn } of tasks)
    for (const need of dependsOn) if (names.has(need)) graph.setEdge(need, task)
  dagre.layout(graph)
  const { width = 0, height = 0 } = graph.graph()
  const layout = {
    width: Math.ceil(width),
    height: Math.ceil(height),
    places: new Map([...names].map((name) => [name, graph.node(name)])),
    edges: graph
      .edges()
      .map(({ v, w }) => ({ from: v, to: w, bends: (graph.edge(v, w).points ?? []).slice(1, -1) })),
  }
  kept.set(key, layout)
  const oldest = kept.keys().next().value
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest)
  return layout
}
