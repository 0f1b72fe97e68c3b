import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { patience, withDeadline } from './deadline.js';
import { findProgram } from './programs.js';

/** What a program left behind; `code` is null when a signal ended it. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  /** The same, where the bytes matter. */
  readonly bytes: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program to its end, which it is brought to when the time is over.
 *
 * @param input what it reads on standard input, which is empty otherwise
 * @param timeout in milliseconds
 * @throws when the program is missing or does not end in time
 */
export async function run(
  command: string,
  args: readonly string[] = [],
  options: { input?: string | Uint8Array; cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<Finished> {
  const { input = '', cwd, env = process.env, timeout = 4 * patience } = options;
  const program = command.includes('/') ? command : (findProgram(command) ?? command);
  const child = spawn(program, args, { cwd, env, stdio: 'pipe' });
  // A program may end without having read all of its input; that is its right.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const work = Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
  try {
    const [bytes, stderr] = await withDeadline(work, () => `${command} ${args.join(' ')} did not end`, timeout);
    return { code: child.exitCode, stdout: bytes.toString(), bytes, stderr };
  } finally {
    child.kill('SIGKILL');
  }
}
