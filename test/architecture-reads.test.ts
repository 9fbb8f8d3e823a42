import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

/** Files that read what the kernel, an administrator or the user names: a FIFO may be meant there, or cannot be. */
const MAY_WAIT = [
  'src/commands/records/mapping-file.ts',
  'src/commands/records/plan.ts',
  'src/config/secret-sources.ts',
  // A folder.
  'src/platform/atomic-file.ts',
  'src/platform/host-checks.ts',
  'src/platform/host.ts',
  'src/platform/named-file.ts',
  'src/platform/open-files.ts',
  'src/platform/process-facts.ts',
  'src/platform/process-group.ts',
  'src/platform/read-file.ts',
  'src/runs/idle/idle-stamp.ts',
  'src/stores/artdaqdb/tools/exchange-files.ts',
  'src/tracking/ledger/process-usage.ts',
  'src/web/assets.ts',
  'src/web/written/write-files.ts',
]

/** Whether a source reads files by Node's own functions, which wait for who writes into a FIFO. */
const readsItself = (source: string): boolean =>
  /import \{[^}]*\breadFile(?:Sync)?\b[^}]*\} from 'node:fs(?:\/promises)?'/.test(source) ||
  /\bopen(?:Sync|File)?\([^()]*, ?'r\+?'\)/.test(source)

it('files in places where somebody else may have put a FIFO are read by platform/read-file, which waits for none', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join('src', name))
  const found = sources.filter((path) => readsItself(readFileSync(path, 'utf8'))).sort()
  expect(found).toEqual(MAY_WAIT)
  // Control: such an import is seen, over several lines, too.
  expect(readsItself("import {\n  closeSync,\n  readFileSync,\n} from 'node:fs'")).toBe(true)
  expect(readsItself("const file = openSync(path, 'r')")).toBe(true)
})
