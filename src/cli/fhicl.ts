import type { Register } from './register.ts'

/** fhicl: convert FHiCL as artdaq does. */
export const fhiclCommands: Register = (program, { run }) => {
  const fhicl = program.command('fhicl').description('convert FHiCL as artdaq does')
  fhicl
    .command('to-json')
    .description('FHiCL → the JSON that artdaq makes of it')
    .argument('<file>', 'FHiCL file; - for standard input')
    .option('--name <name>', 'the name of the document', 'notprovided')
    .option('--stamp <time>', "the time stamp, in artdaq's form; now unless given")
    .action(run(async () => (await import('../commands/fhicl.ts')).fhiclToJsonCommand, 'file'))
  fhicl
    .command('from-json')
    .description('JSON → the FHiCL that artdaq exports')
    .argument('<file>', 'JSON file; - for standard input')
    .option('--as-artdaq', "artdaq's export as it is, also where it reads back as something else")
    .action(run(async () => (await import('../commands/fhicl.ts')).fhiclFromJsonCommand, 'file'))
}
