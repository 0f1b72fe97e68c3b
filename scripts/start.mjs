// npm start [-- OPTIONS]: a secure broker from a fresh clone, in this process.
import { build, install } from './prepare.mjs';

install();
build(['packages/cli']);
const { run } = await import('../packages/cli/dist/main.js');
await run(['start', ...process.argv.slice(2)]);
