/** The two stages of a run: run record directories → artdaqDB, artdaqDB → UconDB. */
export type StageName = 'import' | 'migrate'
