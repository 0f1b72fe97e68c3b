// npm start [-- OPTIONS]: a secure broker from a fresh clone, in this process. npm passes a signal on to its shell alone,
// hence the `exec` in package.json: without it the broker would outlive npm.
import { build, install } from './prepare.mjs';

install();
build(['packages/cli']);
const { run } = await import('../packages/cli/dist/main.js');
await run(['start', ...process.argv.slice(2)]);
