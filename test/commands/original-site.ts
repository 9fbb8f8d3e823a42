import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Mode, recordFiles, writeOriginal } from '../original.ts'
import { Site } from '../site.ts'

/** The runs that the original stored. */
export const RUNS = [11, 12, 13]

/** A site whose runs the original stored; some documents of run 12 are not there, and in no index. */
export const ofOriginal = (lost: readonly string[], mode: Mode = 'conftoolp'): Site => {
  const site = new Site()
  for (const run of RUNS) site.record(run, { files: recordFiles(run) })
  writeOriginal(site.path('db'), RUNS, mode, {
    leaveOut: (run, entity) => run === 12 && lost.includes(entity),
  })
  return site
}

/** The documents of run 12 as artdaq's export gives them, by name. Throws where it gives none. */
export const exported = (of: Site): ReadonlyMap<string, string> => {
  const to = of.path('out')
  rmSync(to, { recursive: true, force: true })
  const { status, stderr } = of.command('artdaq export', '12', '--to', to)
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`)
  const files = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.fcl'))
  return new Map(files.map((name) => [name.replace(/.*\//, ''), readFileSync(join(to, name), 'utf8')]))
}

/** The files of documents of run 12 with one of these names. */
export const filesOf = (of: Site, entities: readonly string[]): string[] => {
  const folder = of.path('db', 'RunHistory')
  return readdirSync(folder)
    .filter((file) => file !== 'index.json')
    .map((file) => join(folder, file))
    .filter((path) => {
      const text = readFileSync(path, 'utf8')
      return text.includes('"12/beam_a') && entities.some((entity) => text.includes(`"name" : "${entity}"`))
    })
}

/** Removes documents of run 12 that are stored, also from the indexes. */
export const lose = (of: Site, entities: readonly string[]): void => {
  for (const path of filesOf(of, entities)) rmSync(path)
  const { status, stderr } = of.command('artdaq repair')
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`)
}
