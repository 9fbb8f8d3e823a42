import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // The tests of faults mostly wait for processes that they started; one at a time would leave a core idle.
    maxWorkers: 2,
    // Tests that kill processes at random moments and wait for real clocks get a second try on a machine that is shared; a bug fails twice.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['test/global-setup.ts'],
  },
})
