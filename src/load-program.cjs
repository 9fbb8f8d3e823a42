// Loads the program, which is one file, with what V8 compiled of it when it was built: half of a short command's processor time is the compiler's.
const { createHash } = require('node:crypto')
const { closeSync, openSync, readFileSync, readSync } = require('node:fs')
const Module = require('node:module')
const { join } = require('node:path')
const vm = require('node:vm')

/** Named by its content, so that no start finds the compiled code of another build. */
const FILE = join(__dirname, '__PROGRAM__')

/** The program, not yet run. V8 refuses compiled code of another version of itself or under other flags, and compiles: slower, and else the same. */
exports.compile = () => new vm.Script(source(), { filename: FILE, cachedData: compiled() })

/** Runs it: its parts, of which none is loaded before it is asked for (program.ts). */
exports.run = (script) => {
  const module = new Module(FILE)
  module.filename = FILE
  module.paths = Module._nodeModulePaths(__dirname)
  script.runInThisContext()(module.exports, Module.createRequire(FILE), module, FILE, __dirname)
  return module.exports
}

exports.program = () => exports.run(exports.compile())

/** In pieces: once a buffer of the whole size were given back, malloc would keep as much for good. */
const source = () => {
  const piece = Buffer.alloc(65_536)
  const file = openSync(FILE)
  let text = ''
  for (let read; (read = readSync(file, piece)) > 0;) text += piece.latin1Slice(0, read)
  closeSync(file)
  return text
}

/** Bytes of the sum at the end of the compiled code. */
const SUM = 32
const sumOf = (code) => createHash('sha256').update(code).digest()

/** Compiled code as it is kept, with its sum: V8 does not look whether a bit of it has rotted, and would run it. */
exports.sealed = (code) => Buffer.concat([code, sumOf(code)])

/** The compiled code. Undefined: there is no file of it, or the file is damaged. */
const compiled = () => {
  // The page sets flags of V8.
  if (process.argv[2] === 'serve') return undefined
  try {
    const kept = readFileSync(FILE.replace(/cjs$/, 'compiled'))
    const code = kept.subarray(0, -SUM)
    return sumOf(code).equals(kept.subarray(-SUM)) ? code : undefined
  } catch {
    return undefined
  }
}
