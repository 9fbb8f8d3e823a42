// Adds up vitest's JSON reports in a folder, and names what failed or was skipped: `node scripts/ci-summary.mjs FOLDER [FAILED STEP...]`.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, ...steps] = process.argv.slice(2)
const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
const count = { passed: 0, failed: 0, skipped: 0 }
for (const { name, status, message, assertionResults } of reports.flatMap(({ testResults }) => testResults)) {
  for (const test of assertionResults) {
    const outcome = test.status === 'passed' ? 'passed' : test.status === 'failed' ? 'failed' : 'skipped'
    count[outcome] += 1
    if (outcome !== 'passed') console.log(`${outcome}: ${test.fullName}`)
  }
  if (status === 'failed' && assertionResults.every((test) => test.status !== 'failed')) {
    count.failed += 1
    console.log(`failed to run: ${name}\n${message}`)
  }
}
// A step that ran no tests (lint, build) and failed counts as one; so does a test run that left no report.
for (const step of steps) {
  console.log(`failed step: ${step}`)
  if (!['check', 'faults'].includes(step) || count.failed === 0) count.failed += 1
}
console.log(
  `${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`,
)
process.exitCode = count.failed > 0 ? 1 : 0
