import { type ChildProcess, spawn } from 'node:child_process'

/** Starts the broken control of the kill tests. */
export const startBrokenMover = (
  source: string,
  archive: string,
): { child: ChildProcess; ended: Promise<unknown> } => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/rows/broken-mover.ts', source, archive], {
    stdio: 'ignore',
  })
  return { child, ended: new Promise((resolve) => child.once('close', resolve)) }
}

/** Kills a mover with SIGKILL at any moment once it moves rows, which `archived` counts. */
export const killOnceMoving = async (
  { child, ended }: { child: ChildProcess; ended: Promise<unknown> },
  archived: () => Promise<number>,
): Promise<void> => {
  const from = await archived()
  for (let tries = 0; tries < 2000 && child.exitCode === null && (await archived()) === from; tries++)
    await new Promise((resolve) => setTimeout(resolve, 5))
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
  child.kill('SIGKILL')
  await ended
}
