/** The configuration that `run-archiver init` writes. It names everything from its own folder, so the folder may be moved. */
export const SAMPLE_CONFIG = `# A configuration to try the archiver on: everything stays in this folder.
# docs/CONFIG.md explains every setting, and config.example.yaml is where a site begins.

app:
  work_dir: work              # state, failure logs, locks, ledger
  batch_size: 100             # runs in an incremental pass
  parallel_workers: 2
  log_level: INFO

source_files:
  run_records_dir: run_records
  settle_seconds: 0           # these samples lie still; a site leaves this at 30
  incomplete_after: 7d        # a record that never got its stop time is archived then

artdaq_db:
  database_uri: "filesystemdb://\${config_dir}/artdaqdb"

ucon_db:
  server_url: "file://\${config_dir}/archive"   # a site has https://host:port/instance/app
`
