import { queueUrl, secret } from '../addresses.ts'
import { pause } from '../quantities.ts'
import { key, optional, section } from '../schema.ts'
import { text } from '../value-types.ts'

export const queue = section(
  'One backlog for several processes: `run-archiver worker`, as often as one likes.',
  {
    url: key(queueUrl, 'off', {
      doc: '`sqlite:queue.db` (relative to `app.work_dir`): several processes on one machine. `postgres://user@host/database`: several machines; run `run-archiver queue migrate` once. `off`: one archiver at a time.',
    }),
    password: optional(secret, { doc: 'The password, where the URL has none.' }),
    schema: key(text, 'run_archiver_queue', { doc: 'The schema of the tables on PostgreSQL.' }),
    lease_seconds: key(pause(2), '60', {
      doc: 'A worker that has not been heard of for so long loses what it has in hand. A process that was killed is noticed at once.',
    }),
  },
)
