import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { canRun } from './harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'r-append-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const COUNT = 400

/** Two R processes that each append so many rows, while another process renames and reads the file; the numbers of the rows that were read whole. */
const appended = async (name: string, source: string): Promise<Set<string>> => {
  const spool = join(folder, name, 'tracking-spool.jsonl')
  const script = join(folder, `${name}.R`)
  writeFileSync(
    script,
    `source(${JSON.stringify(source)})
who <- commandArgs(TRUE)[[1]]
dir.create(${JSON.stringify(join(folder, name))}, showWarnings = FALSE)
for (i in 1:${COUNT}) {
  text <- strrep("x", c(10, 3000, 6000, 9000)[[1 + i %% 4]])
  .track_append(${JSON.stringify(spool)}, sprintf('{"t":"executions","c":{"run_id":"%s-%d","error_detail":"%s"}}', who, i, text))
}
`,
  )
  const ended = ['a', 'b'].map(
    (who) => new Promise((done) => spawn('/usr/bin/Rscript', [script, who]).once('close', done)),
  )
  const seen = new Set<string>()
  let running = true
  const all = Promise.all(ended).then(() => (running = false))
  for (let number = 0, last = false; !last; number++) {
    last = !running
    const aside = `${spool}.replay-${number}`
    if (existsSync(spool)) {
      renameSync(spool, aside)
      for (const line of readFileSync(aside, 'utf8').split('\n')) {
        try {
          seen.add((JSON.parse(line) as { c: { run_id: string } }).c.run_id)
        } catch {
          // The end of a line that was not written yet, or one that was parted.
        }
      }
    }
    await new Promise((done) => setTimeout(done, 5))
  }
  await all
  return seen
}

describe.skipIf(!canRun('/usr/bin/Rscript', '-e', '1'))(
  'two R processes on one spool that a third one reads',
  { timeout: 120_000 },
  () => {
    it('lose no row', async () => {
      expect((await appended('careful', resolve('clients/R/track_status.R'))).size).toBe(2 * COUNT)
    })
    it('control: lose some where nobody looks again', async () => {
      const careless = join(folder, 'careless.R')
      const text = readFileSync('clients/R/track_status.R', 'utf8')
      writeFileSync(
        careless,
        `${text}
.track_append <- function(path, line) {
  file <- file(path, "ab"); on.exit(close(file)); writeBin(charToRaw(paste0(line, "\\n")), file)
}
`,
      )
      expect((await appended('careless', careless)).size).toBeLessThan(2 * COUNT)
    })
  },
)
