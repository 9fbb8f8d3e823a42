import { spawn } from 'node:child_process'
import { durationText } from '../common/duration.ts'
import type { ActionResult, Actions } from '../web/actions.ts'
import { Problem } from '../web/api/question.ts'
import type { ActionEvent } from '../tracking/api/action-events.ts'
import type { LedgerReads } from '../web/model.ts'

export interface PageActionsOptions {
  /** The words that start this program. */
  readonly program: readonly string[]
  /** The configuration's path. */
  readonly config: string
  readonly ledger: Pick<LedgerReads, 'execution'> | undefined
  /** Keeps an action in `events`, under the execution that it is done to or the server's own number. It never throws. */
  readonly note: (event: ActionEvent, runId: string | undefined) => Promise<void>
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Milliseconds that a command may take which only looks or records; a minute where it is left out. */
  readonly ends?: number
}

/** Milliseconds in which a pass says that it cannot begin (another one holds the lock, a store is away). */
const BEGINS = 1500
/** Milliseconds that a command may take which only looks or records. */
const ENDS = 60_000
/** Milliseconds that a command has to end after it was asked to. */
const GRACE = 5000
/** Characters of a command's answer that are shown. */
const MOST_SHOWN = 4000

/**
 * What a person with the token may do on the page: each action runs the very command that it shows, as a process of its own, so that a
 * pass outlives the page and obeys the same locks. Throws a Problem: 400 for words that no such command takes, 409 with what the
 * command said where it failed.
 */
export const pageActions =
  (options: PageActionsOptions) =>
  (from: string): Actions => {
    const { program, config, ledger, now, note, ends = ENDS } = options
    const perform = async (
      action: string | undefined,
      words: readonly string[],
      waits: boolean,
      runId?: string,
    ): Promise<ActionResult> => {
      const command = ['run-archiver', ...words].map(quoted).join(' ')
      if (action !== undefined) await note({ at: now(), action, command, who: 'token', from }, runId)
      const { code, end, text } = await runCommand([...program, ...words], waits ? ends : BEGINS, waits)
      if (code !== undefined && code !== 0)
        throw new Problem(409, 'REFUSED', [`"${command}" ${end}`, text.trim()].filter(Boolean).join(': '))
      return {
        said: code === undefined ? 'It has begun, and goes on by itself.' : text.trim() || 'Done.',
        command,
      }
    }
    return {
      retry: (stage, runs, dryRun) => {
        if (runs !== undefined && !/^[\d ,-]+$/.test(runs))
          throw new Problem(400, 'USAGE', `runs are such as 12000-12050,12060, not "${runs}"`)
        const only = runs === undefined ? [] : [`--runs=${runs}`]
        // A look alone changes nothing, and is not kept.
        return perform(
          dryRun ? undefined : 'retry',
          [config, `--retry-failed-${stage}`, ...only, ...(dryRun ? ['--dry-run'] : [])],
          dryRun,
        )
      },
      cancel: async (id) => {
        const execution = await ledger?.execution(id)
        if (!execution) throw new Problem(404, 'NOT_FOUND', `no execution ${id} is in the ledger`)
        return perform(
          'cancel',
          ['track', 'cancel', execution.runId, '--config', config],
          true,
          execution.runId,
        )
      },
      scrub: () => perform('scrub', ['scrub', '--config', config], false),
      silence: (rule, subject, until, why) => {
        if (!/^\w[\w-]*$/.test(rule)) throw new Problem(400, 'USAGE', `"${rule}" is not the name of a rule`)
        if (subject === '') throw new Problem(400, 'USAGE', 'the subject is empty; * stands for all')
        const minutes = Math.max(1, Math.round((until - now()) / 60_000))
        return perform(
          'silence',
          [
            ...['alerts', 'silence', rule, ...(subject === '*' ? [] : [`--subject=${subject}`])],
            ...[`--for=${minutes}m`, `--reason=${why}`, '--config', config],
          ],
          true,
        )
      },
    }
  }

interface Ended {
  /** Undefined where it goes on. */
  readonly code: number | undefined
  /** How it ended, in words. */
  readonly end: string
  readonly text: string
}

const runCommand = (
  [file = '', ...words]: readonly string[],
  patience: number,
  kills: boolean,
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(file, words, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let tookTooLong = false
    const hear = (piece: string): void => void (text += piece.slice(0, MOST_SHOWN - text.length))
    // Read to the end, whatever becomes of the page's request: a full pipe would stop the pass.
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    let timer = setTimeout(() => {
      if (kills) {
        tookTooLong = true
        child.kill()
        timer = setTimeout(() => child.kill('SIGKILL'), GRACE)
      } else {
        child.unref()
        resolve({ code: undefined, end: 'goes on', text })
      }
    }, patience)
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve({ code: 1, end: 'could not be started', text: error.message })
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const end = tookTooLong
        ? `was ended because it took longer than ${durationText(patience / 1000)}`
        : signal
          ? `was ended by ${signal}`
          : `ended with ${code}`
      resolve({ code: tookTooLong ? 1 : (code ?? 1), end, text })
    })
  })

/** A word as a shell takes it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
