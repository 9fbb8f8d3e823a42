import { partsOf, stripPart } from '../../src/tracking/ledger/spool-parts.ts'

/** Strips the parts of a spool, as a program does whose spool is full: for tests that watch its calls to the system. */
for (const part of partsOf(process.argv[2] ?? '')) stripPart(part, Date.now())
