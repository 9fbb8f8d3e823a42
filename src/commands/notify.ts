import { loadConfig } from '../config/load-config.ts'
import { secretsOf } from '../config/secrets-of.ts'
import { limit } from '../tracking/alerts/rate-limit.ts'
import { printable, redactor } from '../common/redact.ts'
import { ArchiverError, messageOf } from '../errors.ts'
import { identity, now } from '../platform/host.ts'
import { readEnd } from '../platform/input.ts'
import { sendWithin, type Message } from '../tracking/alerts/alerts.ts'
import { channelsOf } from '../tracking/alerts/channels.ts'
import { keepSent, readSent, sentFile } from '../tracking/alerts/sent-alerts.ts'
import { untilStopped } from '../app/context.ts'

export interface NotifyOptions {
  readonly config: string
  readonly title: string
  /** A text file; `-` for standard input. */
  readonly file: string
  /** What it is about, for what may happen every few minutes: the same key is sent once an hour. Without one it is always sent. */
  readonly key?: string
}

/** Milliseconds that one channel may take. */
const PATIENCE = 30_000

/** Milliseconds in which the same key is sent once, as alerts are. */
const HOUR = 3_600_000

/** A message has this many lines at most: the last ones. */
const MOST_LINES = 200
/** Of which no more is read into memory, however long the log is. */
const MOST_BYTES = 1_000_000

/**
 * Sends a text through every channel that `reporting` has turned on, for timers and for trying the channels out. Secrets in the text are
 * masked. Exit 0 when a channel took it, no channel is turned on, or the same key was sent within the hour; throws NOBODY_TOLD when no channel worked.
 */
export const notify = untilStopped<NotifyOptions>(async ({ config: path, title, file, key }, context) => {
  const config = await loadConfig(path, context.env, ['app', 'reporting'])
  const channels = channelsOf(config.reporting, PATIENCE, context.env)
  if (channels.length === 0) {
    context.err('No channel of `reporting` is turned on; nothing was sent.\n')
    return 0
  }
  const redact = redactor(secretsOf(config))
  const safe = (line: string): string => printable(redact(line))
  const memory = sentFile(config.app.workDir)
  const limited =
    key === undefined ? undefined : limit(await readSent(memory), `tell:${safe(key)}`, now(), HOUR)
  const remember = async (): Promise<void> => {
    if (limited) await keepSent(memory, limited.sent, (warning) => context.err(`${warning}\n`))
  }
  if (limited?.due === false) {
    await remember()
    context.err('The same message was sent within the last hour; not sent again.\n')
    return 0
  }
  const message: Message = {
    key: key === undefined ? 'tell' : `tell:${safe(key)}`,
    severity: 'warning',
    title: safe(title),
    lines: (await read(file)).trimEnd().split('\n').slice(-MOST_LINES).map(safe),
    host: identity().host,
    time: new Date(now()).toISOString(),
    held: limited?.held ?? 0,
  }
  const results = await Promise.allSettled(channels.map((channel) => sendWithin(channel, message, PATIENCE)))
  const failures = results.flatMap((result, i) =>
    result.status === 'rejected' ? [`${channels[i]?.name ?? ''}: ${redact(messageOf(result.reason))}`] : [],
  )
  for (const failure of failures) context.err(`${failure}\n`)
  if (failures.length === channels.length)
    throw new ArchiverError('NOBODY_TOLD', 'no channel of `reporting` took the message', {
      hint: 'The lines above say why. `run-archiver notify --title test` tries the channels again.',
    })
  await remember()
  return 0
})

const read = async (file: string): Promise<string> => {
  try {
    return (await readEnd(file, MOST_BYTES)).toString('utf8')
  } catch (error) {
    throw new ArchiverError('NOT_FOUND', `cannot read ${file}: ${messageOf(error)}`, { cause: error })
  }
}
