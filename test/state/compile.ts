import { build } from 'esbuild'
import { join } from 'node:path'

/** Makes a TypeScript program of ours one JavaScript file in `folder`, so that hundreds of processes can start it quickly. */
export async function compile(entry: string, folder: string): Promise<string> {
  const outfile = join(folder, `${entry.replace(/^.*\//, '').replace(/\.ts$/, '')}.cjs`)
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'error',
  })
  return outfile
}
