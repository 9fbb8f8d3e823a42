import { duration } from '../quantities.ts'
import { queueUrl } from '../addresses.ts'
import { key, section } from '../schema.ts'

export const queue = section(
  'One backlog for several processes: `run-archiver worker`, as often as one likes.',
  {
    url: key(queueUrl, 'off', {
      doc: '`sqlite:queue.db` (relative to `app.work_dir`): several processes on one machine. `off`: one archiver at a time.',
    }),
    lease_seconds: key(duration(2), '60', {
      doc: 'A worker that has not been heard of for so long loses what it has in hand. A process that was killed is noticed at once.',
    }),
  },
)
