import type { Register } from './register.ts'

/** serve and page: the web page, live and as files. */
export const serveCommands: Register = (program, { run }) => {
  program
    .command('serve')
    .description('the web page and its API: what is archived, what runs, what needs a person')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--ledger <url>', 'a ledger alone, without an archiver: sqlite:FILE, postgres://, mysql://')
    .option('--host <address>', 'the address to listen on (serve.host: 127.0.0.1)')
    .option('--port <number>', 'the port (serve.port: 8090)')
    .option('--token-file <file>', 'a file with the token that lets its holder retry, stop and silence')
    .option('--base-path <path>', 'begins every address, behind a reverse proxy')
    .option('--public-url <url>', 'the address that readers type, behind a reverse proxy')
    .action(run(async () => (await import('../commands/serve.ts')).serve))
  program
    .command('page')
    .description('writes the web page once, as files for a web server that only serves files')
    .requiredOption('--to <folder>', 'the folder: new, empty, or written by an earlier call')
    .option('--config <file>', 'configuration file', 'config.yaml')
    .option('--ledger <url>', 'a ledger alone, without an archiver: sqlite:FILE, postgres://, mysql://')
    .option('--pages <number>', 'how many pages are written at most', '500')
    .action(run(async () => (await import('../commands/page.ts')).page))
}
