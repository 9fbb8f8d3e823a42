import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openArchiver } from '../../src/app/open-archiver.ts'
import { gather, gatherAgain } from '../../src/commands/report.ts'
import { contextOf } from '../context.ts'
import { listingsTaken } from '../listings-taken.ts'
import { Site } from '../site.ts'

let site: Site
beforeEach(() => {
  site = new Site({})
})
afterEach(() => {
  vi.restoreAllMocks()
  site.remove()
})

it('a page that is looked at for days reads a place only where no pass has listed it since it changed', async () => {
  for (const run of [1, 2, 3]) site.record(run)
  expect(site.archiver('--incremental').status).toBe(0)
  const context = contextOf()
  const archiver = await openArchiver(site.config, context)
  const taken = listingsTaken()
  const seen = async (): Promise<string> => {
    const facts = await gatherAgain(archiver, site.config, context)
    return [facts.records, facts.artdaq, facts.archive]
      .map((place) => (place.known ? place.value.runs.toString() : place.reason))
      .join(' / ')
  }
  // The records are listed by a pass before it stores them; what was stored, after it.
  expect(site.archiver('--incremental').status).toBe(0)
  expect(await seen()).toBe('1-3 / 1-3 / 1-3')
  expect(taken()).toBe(0)
  site.record(4)
  expect(site.archiver('--incremental').status).toBe(0)
  expect(site.archiver('--incremental').status).toBe(0)
  expect(await seen()).toBe('1-4 / 1-4 / 1-4')
  expect(taken()).toBe(0)
  // Nobody has listed this one yet.
  site.record(5)
  expect(await seen()).toBe('1-5 / 1-4 / 1-4')
  expect(taken()).toBe(1)
  expect(await seen()).toBe('1-5 / 1-4 / 1-4')
  expect(taken()).toBe(1)
  // The report reads all three (control).
  await gather(archiver, site.config, context)
  expect(taken()).toBe(4)
})
