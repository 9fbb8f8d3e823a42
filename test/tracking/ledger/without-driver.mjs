// Loaded before a program (node --import): the SQLite driver is not installed, or was built for another machine (MODE=unbuilt).
import { register } from 'node:module'

const error =
  process.env['MODE'] === 'unbuilt'
    ? "Object.assign(new Error('was compiled against a different Node.js version'), { code: 'ERR_DLOPEN_FAILED' })"
    : "Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' })"
const hooks = `export const resolve = (name, context, next) => {
  if (name === 'libsql') throw ${error}
  return next(name, context)
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
