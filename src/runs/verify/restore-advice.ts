import type { StagedComparison } from './compare-run.ts'

/** Where a run's copies stand, as far as it decides how one is restored. */
interface Places {
  /** A directory, in which a name is there once; otherwise a server that keeps both. */
  readonly archiveIsFolder: boolean
  /** Documents can be written again by their seals: not where artdaq's own tools write them. */
  readonly hasSeals: boolean
}

/**
 * How the damaged copy of a run is restored from one that is proved good, as a sentence with the command. Undefined where nothing is damaged, or where
 * no copy proves which one it is.
 */
export const restoreAdvice = (
  { run, damaged, record }: Pick<StagedComparison, 'run' | 'damaged' | 'record'>,
  { archiveIsFolder, hasSeals }: Places,
): string | undefined => {
  switch (damaged) {
    case 'archive':
      return archiveIsFolder
        ? `artdaqDB is proved good. Move ${run}.txt and ${run}.sha256 (of an update, ${run}-update-N) out of the archive; then this writes them again:\nrun-archiver CONFIG --migrate-only --runs ${run}`
        : `artdaqDB is proved good. This puts it into the archive beside what is there:\nrun-archiver CONFIG --migrate-only --override-conflict ${run}`
    case 'artdaq':
      return [
        ...(hasSeals
          ? [
              'This writes the document again where its seal proves what was stored:',
              'run-archiver artdaq repair',
            ]
          : []),
        ...(record === 'present'
          ? [
              `${hasSeals ? 'Where it does not, move' : 'Move'} the document out of artdaqDB; then this stores it again from the run record:`,
              `run-archiver CONFIG --import-only --runs ${run}`,
            ]
          : [
              `${hasSeals ? 'Where it does not, put' : 'Put'} the document back from a backup: its run record is not there.`,
            ]),
      ].join('\n')
    case 'record':
      return `artdaqDB is proved good. This gives the record as it was archived:\nrun-archiver extract ${run} --from artdaq --to DIR`
    case undefined:
      return undefined
  }
}
