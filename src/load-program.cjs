// Loads the program, which is one file, with what V8 compiled of it when it was built: half of a short command's processor time is the compiler's.
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

const compiled = () => {
  // The page sets flags of V8.
  if (process.argv[2] === 'serve') return undefined
  try {
    return readFileSync(FILE.replace(/cjs$/, 'compiled'))
  } catch {
    return undefined
  }
}
