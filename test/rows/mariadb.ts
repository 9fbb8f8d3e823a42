import { afterAll } from 'vitest'
import { launchMariadb, type OwnMariadb } from '../mariadb.ts'

export { freePort } from '../mariadb.ts'
export type Mariadb = Pick<OwnMariadb, 'url' | 'signal'>

/**
 * Starts a MariaDB of a test file's own, stopped after its tests, and when their process ends in any way: a file whose tests are all left out runs
 * nothing after them. Undefined where it is not installed; throws where it is and does not start.
 */
export const startMariadb = async (...options: string[]): Promise<Mariadb | undefined> => {
  const server = await launchMariadb(...options)
  if (server) afterAll(() => server.stop())
  return server
}
