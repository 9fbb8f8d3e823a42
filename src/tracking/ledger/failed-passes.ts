import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { FAILED_PASSES } from '../../common/failed-passes.ts'
import { overwriteOwn } from '../../platform/own-file.ts'
import { readTextNow } from '../../platform/read-file.ts'

/**
 * Whether the ledger's newest execution of this task failed. Then the next pass is worth a row though it finds nothing to do: whoever was notified
 * of the failure hears that it is over. Never throws.
 */
export const hasFailed = (workDir: string, task: string): boolean => failedTasks(workDir).includes(task)

/** An execution of this task has ended, and the ledger has its row. Never throws: where this cannot be kept, the next row says it. */
export const noteEnd = (workDir: string, task: string, isFailure: boolean): void => {
  const tasks = failedTasks(workDir)
  if (tasks.includes(task) === isFailure) return
  const left = isFailure ? [...tasks, task] : tasks.filter((one) => one !== task)
  const file = join(workDir, FAILED_PASSES)
  try {
    if (left.length === 0) unlinkSync(file)
    else overwriteOwn(file, left.map((one) => `${one}\n`).join(''))
  } catch {
    // A disk that is full or not ours: as above.
  }
}

const failedTasks = (workDir: string): readonly string[] => {
  try {
    return readTextNow(join(workDir, FAILED_PASSES))
      .split('\n')
      .filter((line) => line !== '')
  } catch {
    return []
  }
}
