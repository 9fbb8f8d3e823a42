import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import type { Order } from './lane.ts'

/** Every so many lanes have a ledger in their work_dir. */
const WITH_LEDGER = 4

/** Threads that try damages, each on a site of its own. */
export class Lanes {
  readonly #workers: readonly Worker[]

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers
  }

  /** Starts them; each prepares its site. */
  static async open(count: number): Promise<Lanes> {
    // Node reads no TypeScript. Beside the packages, so that they are found.
    const file = resolve('node_modules/.cache', `damage-lane-${process.pid}.mjs`)
    await build({
      entryPoints: [resolve('test/damage/lane.ts')],
      outfile: file,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: 'inline',
      loader: { '.sql': 'text', '.fcl': 'text' },
    })
    try {
      const workers = Array.from(
        { length: count },
        (_, n) => new Worker(file, { workerData: { ledger: n % WITH_LEDGER === 0 } }),
      )
      await Promise.all(workers.map((worker) => once(worker, 'message')))
      return new Lanes(workers)
    } finally {
      rmSync(file)
    }
  }

  /** Gives out the orders, one to each lane that is free. `tried` returns false where no more are to be given out. */
  async run(
    orders: Iterator<Order>,
    tried: (order: Order, wrong: readonly string[]) => boolean,
  ): Promise<void> {
    let goesOn = true
    const lane = async (worker: Worker): Promise<void> => {
      for (let next = orders.next(); goesOn && !next.done; next = orders.next()) {
        worker.postMessage(next.value)
        const [wrong] = (await once(worker, 'message')) as [readonly string[]]
        goesOn = tried(next.value, wrong) && goesOn
      }
    }
    await Promise.all(this.#workers.map(lane))
  }

  /** Removes the sites. */
  async close(): Promise<void> {
    await Promise.all(
      this.#workers.map(async (worker) => {
        worker.postMessage('end')
        await once(worker, 'exit')
      }),
    )
  }
}
