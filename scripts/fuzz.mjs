/** `npm run fuzz -- [--broker] …`: feeds mutated packets to the codec or, with --broker, to a running broker. */

const target = process.argv.includes('--broker')
  ? 'packages/fuzz/dist/main.js'
  : 'packages/codec/dist-test/fuzz/main.js';
process.argv.splice(2, 0, target);
await import('./run.mjs');
