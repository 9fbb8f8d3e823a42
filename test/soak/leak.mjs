// Control of a soak: loaded before the daemon, it never gives back what a connection took, like listeners that outlive their session.
import { subscribe } from 'node:diagnostics_channel'
import { openSync } from 'node:fs'

const kept = []
subscribe('net.client.socket', () =>
  kept.push({ bytes: Buffer.alloc(600_000, 1), descriptor: openSync('/dev/null') }),
)
