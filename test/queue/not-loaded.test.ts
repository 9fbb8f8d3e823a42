import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** What a file imports when it is loaded: no types, and nothing behind `import()`. */
const loadedBy = (path: string): string[] => {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const statements = [...text.matchAll(/^(?:import|export)\s+(?!type\b)([^'";]*?from\s+)?'([^']+)'/gm)]
  return statements
    .filter(([, names = '']) => !/^\{\s*(?:type\s+\w+(?:\s+as\s+\w+)?\s*,?\s*)+\}\s*from\s+$/.test(names))
    .map(([, , name = '']) => name)
}

/** Every file, and every package, that loading these files loads. */
const closure = (...roots: string[]): Set<string> => {
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    if (!/\.tsx?$/.test(path)) return
    for (const name of loadedBy(path)) visit(name.startsWith('.') ? join(dirname(path), name) : name)
  }
  for (const root of roots) visit(root)
  return seen
}

const OF_THE_QUEUE = /^src\/queue\/|^src\/runs\/cluster\/|work-on-backlog|^pg-boss$|^pg$/
const queueFilesOf = (...roots: string[]): string[] =>
  [...closure(...roots)].filter((name) => OF_THE_QUEUE.test(name))

describe('where no backlog is configured', () => {
  it('neither the start nor a pass, idle or not, nor the report or the daemon loads the code of the queue', () => {
    const loaded = closure('src/main.ts', 'src/commands/run.ts')
    expect(loaded.size).toBeGreaterThan(100)
    expect(queueFilesOf('src/main.ts')).toEqual([])
    for (const command of ['run', 'report', 'daemon', 'recover-state', 'audit', 'serve'])
      expect([command, queueFilesOf(`src/commands/${command}.ts`)]).toEqual([command, []])
  })
  it('as a worker does: the control', () => {
    expect(queueFilesOf('src/commands/worker.ts')).toContain('src/queue/queue-backlog.ts')
  })
})
