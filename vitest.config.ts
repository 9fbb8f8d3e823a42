import { defineConfig } from 'vitest/config'
import { LongFirst } from './test/long-first.ts'

const ORDINARY = { pool: 'forks', testTimeout: 60_000, hookTimeout: 120_000 } as const
const INTEGRATION = 'test/**/*.integration.test.ts'
const FAULTS = 'test/**/*.faults.test.ts'
/** Builds the program, and starts the servers that are not there. */
const SITE = ['test/global-setup.ts']

/**
 * Three tiers, by file name. `x.test.ts` needs neither a build nor a server; `x.integration.test.ts` needs the built program, a server or
 * another program; `x.faults.test.ts` kills, fuzzes or takes long, and is scaled by environment variables (docs/TESTING.md).
 */
export default defineConfig({
  test: {
    // The tests of faults mostly wait for processes that they started; one at a time would leave a core idle.
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          ...ORDINARY,
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [INTEGRATION, FAULTS],
          // Each process loads each module once, not once for each file; CI gives each file a process of its own.
          isolate: false,
        },
      },
      {
        test: {
          ...ORDINARY,
          name: 'integration',
          include: [INTEGRATION],
          globalSetup: SITE,
          isolate: false,
          // What a command does is tested without the start of a process for each (test/command-thread.ts); TEST_COMMANDS=process starts them.
          env: { TEST_COMMANDS: process.env['TEST_COMMANDS'] ?? 'thread' },
        },
      },
      { test: { ...ORDINARY, name: 'faults', include: [FAULTS], globalSetup: SITE } },
    ],
  },
})
