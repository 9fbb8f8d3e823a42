/**
 * The broken control of the kill tests of `rows.log`, started as a process: a batch's row and its conflicts are each committed by themselves. Arguments: the
 * URL of the source, the URL of the log, the file of ids.
 */
import { LogDatabase } from '../../src/rows/log/log-database.ts'
import { moveRows } from '../../src/rows/move-rows.ts'
import { moveOptions } from './servers.ts'

LogDatabase.prototype.runWhole = async function (statements) {
  for (const { sql, parameters = [] } of statements) await this.session.run(sql, parameters)
}
const [source = '', log = '', file = ''] = process.argv.slice(2)
const place = (url: string) => ({ url, password: undefined, timeout: 10_000 })
const places = { source: place(source), archive: undefined, log: place(log) }
await moveRows({ ...moveOptions(source, [file]), places, batchSize: 10 })
