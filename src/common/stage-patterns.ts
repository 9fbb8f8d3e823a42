/** The stages by the beginning of a task's name, in the order in which they are tried. `tracking.stage_patterns` replaces them. */
export const STAGE_PATTERNS: ReadonlyMap<string, string> = new Map(
  ['PREREQ', 'STATIC', 'DAILY', 'ANNUAL_DEC', 'ANNUAL_SEPT', 'ANNUAL_JUNE', 'PERIODIC'].map((stage) => [
    stage,
    `^${stage}_`,
  ]),
)

/** The stage of a task: the first whose pattern its name matches, else UNKNOWN. A pattern that is not a regular expression is skipped. */
export const stageOf = (task: string, patterns: ReadonlyMap<string, string> = STAGE_PATTERNS): string => {
  for (const [stage, pattern] of patterns)
    try {
      if (new RegExp(pattern).test(task)) return stage
    } catch {
      continue // the configuration's check names it
    }
  return 'UNKNOWN'
}

/** Variables that an execution keeps, where they are set; `tracking.env_allow` replaces the list. PATH is none: it holds what it likes. */
export const ENVIRONMENT_ALLOWED = ['BDC_DOWNLOAD_PATH', 'PYTHONPATH', 'R_LIBS', 'R_LIBS_USER'] as const
