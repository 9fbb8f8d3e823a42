#!/usr/bin/env node
// Calls that wait for a disk wait in threads, four unless something else is asked for before the first ES module is read. More of them let
// the syncs of a run's documents share the disk's journal, and it takes as many hung reads to bring the program to a stop.
process.env.UV_THREADPOOL_SIZE ??= '16'
// What ps and top show: operators look for the name of the script that starts it.
process.title = ['run_archiver', ...process.argv.slice(2)].join(' ')
import('./main.mjs')
