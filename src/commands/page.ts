import { resolve } from 'node:path'
import { untilStopped } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { openPage } from '../app/page.ts'
import { RunSet } from '../common/run-set.ts'
import { ArchiverError } from '../errors.ts'
import { fillFolder } from '../platform/fill-folder.ts'
import { plural } from '../web/text.ts'
import { readPages } from '../web/written/read-pages.ts'
import { writeFiles } from '../web/written/write-files.ts'
import { gatherAgain } from './report.ts'
import { pageOptions } from './serve.ts'

interface Options {
  readonly config: string
  readonly ledger?: string
  readonly to: string
  readonly pages: string
}

/** Where the pages are asked: nobody listens there. */
const HOST = '127.0.0.1'
const PORT = '8090'
const PARTLY = 'Each page there is whole, some of them old. The next call writes all of them.'

/**
 * `page --to FOLDER`: the pages of `serve` as they are now, as files. Stopped or killed, it leaves whole files, some of them old. Throws USAGE
 * for a folder that holds other files, STORE_UNAVAILABLE for one that cannot be written to, and LEDGER_UNAVAILABLE where the overview cannot be made.
 */
export const page = untilStopped<Options>(async ({ config, ledger, to, pages }, context) => {
  const most = mostOf(pages)
  const archiver = ledger === undefined ? await openArchiver(config, context) : undefined
  const options = pageOptions(
    { config, host: HOST, port: PORT, basePath: '', ...(ledger === undefined ? {} : { ledger }) },
    context,
  )
  const open = await openPage(archiver, options, context, () => gatherAgain(archiver, config, context))
  try {
    const snapshot = await open.listed()
    const { files, isCut } = await readPages({
      ask: async (address) => {
        const request = new Request(`http://${HOST}:${PORT}${address}`, {
          headers: { host: `${HOST}:${PORT}` },
        })
        const reply = await open.server.fetch(request)
        return { status: reply.status, html: (await reply.text()).replace(` on ${HOST}:${PORT}`, '') }
      },
      assets: options.assets,
      taken: snapshot?.map.taken ?? RunSet.EMPTY,
      now: open.sources.now(),
      most,
    })
    const folder = resolve(to)
    const { removed } = await fillFolder(folder, PARTLY, () => writeFiles(folder, files))
    const count = [...files.keys()].filter((name) => name.endsWith('.html')).length
    context.out(
      `${plural(count, 'page')} written to ${folder}${removed > 0 ? `, ${plural(removed, 'old file')} removed` : ''}\n${isCut ? `There are more: --pages ${most} is as many as are written. Links to the others are plain text.\n` : ''}`,
    )
    return 0
  } finally {
    open.server.close()
    await open.close()
  }
})

const mostOf = (text: string): number => {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new ArchiverError('USAGE', `--pages: "${text}" is not a number from 1 to 999999`)
}
