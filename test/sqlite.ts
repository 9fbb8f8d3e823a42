/** Whether SQLite is here: its package is optional, for it has to be built, which takes a compiler and Node headers. */
export const hasSqlite = await (async (): Promise<boolean> => {
  try {
    const { default: Sqlite } = await import('better-sqlite3')
    new Sqlite(':memory:').close()
    return true
  } catch {
    return false
  }
})()

if (!hasSqlite)
  console.warn('SKIPPED: better-sqlite3 could not be built here (it needs a compiler and Node headers)')
