/**
 * The schema document (`SystemLayout`) of sites that name none of their own: every `.fcl` file but the schema itself is a
 * document of `RunHistory`, named after the file. artdaq's own tools read these rules; this program does not need them.
 */
export const BUILT_IN_SCHEMA = String.raw`run_history: [
  { collection: RunHistory pattern: '(.*/)((?!schema\.)[^/]+)(\.fcl$)' }
]
system_layout: [
  { collection: SystemLayout pattern: '(.*)(schema)(\.fcl$)' }
]
artdaq_includes: []
artdaq_processes: []
`
