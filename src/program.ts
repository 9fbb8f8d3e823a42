// What the build makes one file of. Each part is loaded when it is asked for.

/** Runs the command line of this process, and ends the process with its exit code. */
export const main = () => import('./main.ts')
/** The command line as a function, and what prints that it failed: for who runs many commands in one process. */
export const cli = () => import('./cli.ts')
export const failure = () => import('./cli/print-failure.ts')
