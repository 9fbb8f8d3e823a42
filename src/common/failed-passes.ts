/** In work_dir: the tasks whose newest execution in the ledger failed, one a line. */
export const FAILED_PASSES = 'ledger-failed.txt'
