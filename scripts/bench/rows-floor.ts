/** The bare SQL of a move, for scripts/bench/rows.ts: nothing is compared, and nothing logged. Arguments: URL, rows, rows of a batch. */
import { openSession } from '../../src/sql/open-session.ts'

const main = async (): Promise<void> => {
  const [url = '', rows = '', size = ''] = process.argv.slice(2)
  const session = await openSession({ url, password: undefined, timeout: 50_000 })
  for (let from = 1; from <= Number(rows); from += Number(size)) {
    const length = Math.min(Number(size), Number(rows) - from + 1)
    const batch = Array.from({ length }, (_, at) => from + at)
    const list = batch.join(',')
    if (session.dialect === 'mysql') {
      await session.run('START TRANSACTION')
      await session.run(`INSERT INTO ra SELECT * FROM r WHERE id IN (${list})`)
      await session.run(`DELETE FROM r WHERE id IN (${list})`)
      await session.run('COMMIT')
    } else
      await session.run(
        'WITH x AS (DELETE FROM r WHERE id = ANY($1::bigint[]) RETURNING *) INSERT INTO ra SELECT * FROM x',
        [batch.map(String)],
      )
  }
  await session.close()
}

void main()
