import { ALERT_RULES } from '../../src/common/alert-rules.ts'
import { EXECUTION_WORDS, SUB_STATES, SUBTASK_WORDS } from '../../src/tracking/client/operation-fields.ts'

const STAGES = ['import', 'migrate']
const HISTORY_WORDS = ['RUNNING', 'COMPLETED', 'PARTIAL', 'FAILED', 'KILLED', 'TERMINATED', 'SYSTEM_REBOOT']

/** Values of options that take one of a few words, by command and option; of arguments, by command alone. Options with `choices` offer those by themselves. */
export const OFFERED: Readonly<Record<string, readonly string[]>> = {
  'history --status': HISTORY_WORDS,
  'records plan --source-kind': ['text', 'bytes'],
  'records run --log-level': ['DEBUG', 'INFO', 'WARNING', 'ERROR'],
  'rows run --on-batch-error': ['stop', 'continue'],
  'rows conflicts --keep': ['archive', 'live', 'both'],
  'track status --status': EXECUTION_WORDS.filter((word) => word !== 'STARTED'),
  'track status --sub-state': SUB_STATES,
  'track status --subtask-status': SUBTASK_WORDS,
  'track current --status': EXECUTION_WORDS,
  'track list --status': EXECUTION_WORDS,
  'track export --status': EXECUTION_WORDS,
  'worker --stages': [...STAGES, STAGES.join()],
  'queue list --stage': STAGES,
  'queue list --status': ['pending', 'claimed', 'done', 'failed'],
  'queue retry --stage': STAGES,
  'queue pause': STAGES,
  'queue resume': STAGES,
  'alerts silence': Object.keys(ALERT_RULES),
}
