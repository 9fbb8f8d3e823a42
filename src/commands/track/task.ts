import { counted } from '../../common/counted.ts'
import { ArchiverError } from '../../errors.ts'
import type { Command } from '../../app/context.ts'
import { now } from '../../platform/host.ts'
import { readDatabase } from './read-database.ts'
import { numberOption } from './report.ts'
import { spanOption } from './span.ts'
import { trackSettings, type TrackOptions } from './tracking-settings.ts'

interface TaskFlags extends TrackOptions {
  readonly name: string
  readonly stage?: string
  readonly type?: string
  readonly description?: string
  readonly totalSubtasks?: string
  readonly schedule?: string
  readonly grace?: string
  readonly expected?: string
  readonly order?: string
  readonly dependsOn?: string
  readonly enable?: boolean
  readonly disable?: boolean
}

/** `track task NAME`: registers what is expected of a task; what is not named stays. */
export const trackTask: Command<TaskFlags> = async (flags, context) => {
  const { schedule, dependsOn } = flags
  if (schedule !== undefined && !/^(?:(?:[01]\d|2[0-3]):[0-5]\d|[1-9]\d{0,6}|none)$/.test(schedule))
    throw new ArchiverError('USAGE', `--schedule: "${schedule}" is not a schedule`, {
      hint: 'HH:MM of each day in UTC, minutes between two starts, or none',
    })
  const { registerTask } = await import('../../tracking/ledger/registered-tasks.ts')
  const settings = await trackSettings(flags, context, { strict: true })
  await readDatabase(settings, ({ database }) =>
    registerTask(database, flags.name, {
      task_stage: flags.stage,
      task_type: flags.type,
      description: flags.description,
      total_subtasks: numberOption('--total-subtasks', flags.totalSubtasks),
      schedule: schedule === 'none' ? null : schedule,
      grace_minutes: numberOption('--grace', flags.grace),
      expected_duration_minutes: numberOption('--expected', flags.expected),
      task_order: numberOption('--order', flags.order),
      depends_on:
        dependsOn === undefined
          ? undefined
          : dependsOn
              .split(',')
              .map((name) => name.trim())
              .filter(Boolean),
      enabled: flags.disable ? false : flags.enable ? true : undefined,
    }),
  )
  context.out(flags.json ? `${JSON.stringify({ task: flags.name })}\n` : `${flags.name} is registered\n`)
  return 0
}

interface ArchiveFlags extends TrackOptions {
  readonly olderThan: string
  readonly dryRun?: boolean
}

/** `track archive`: moves executions that ended long ago to the history table. */
export const trackArchive: Command<ArchiveFlags> = async (flags, context) => {
  const before = now() - spanOption('--older-than', flags.olderThan)
  const { archiveExecutions, countOlder } = await import('../../tracking/ledger/archive-executions.ts')
  const settings = await trackSettings(flags, context, { strict: true })
  const count = await readDatabase(settings, async ({ database }) => {
    if (flags.dryRun) return countOlder(database, before)
    const { pruneMetrics } = await import('../../tracking/ledger/prune.ts')
    await pruneMetrics(database, now())
    return archiveExecutions(database, before)
  })
  const said = flags.dryRun ? 'would be archived' : 'archived'
  context.out(
    flags.json
      ? `${JSON.stringify({ archived: count, dryRun: flags.dryRun === true })}\n`
      : `${counted(count, 'execution')} ${said}\n`,
  )
  return 0
}
