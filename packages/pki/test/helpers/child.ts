import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Starts a module in a process of its own, with the arguments at `process.argv[1]` and on. */
export function startModule(source: string, ...args: readonly string[]) {
  return spawn(process.execPath, ['--input-type=module', '-e', source, ...args], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
}

/** Runs a module in a process of its own, with the arguments at `process.argv[1]` and on; gives what it printed. */
export async function runModule(source: string, ...args: readonly string[]): Promise<string> {
  const child = startModule(source, ...args);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  if (code !== 0) throw Object.assign(new Error(`the child process ended with ${code}: ${err}`), { output: out });
  return out;
}
