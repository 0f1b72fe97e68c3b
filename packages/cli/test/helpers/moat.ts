import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The command as people run it. */
export const command = fileURLToPath(new URL('../../../../bin/moat', import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  /** A command and its arguments that becomes `moat`. */
  readonly by?: readonly string[];
}

export type Running = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts `moat` with its streams piped, in an environment without settings of our own. */
export function startMoat(args: readonly string[], { cwd, env, by = [] }: RunOptions = {}): Running {
  const { MOAT_PASSWORD: _, MOAT_DEBUG: __, MOAT_CA_PASSPHRASE: ___, ...inherited } = process.env;
  const [program, ...further] = [...by, command, ...args] as [string, ...string[]];
  return spawn(program, further, { cwd, env: { ...inherited, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Runs `moat` to its end. */
export async function moat(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = startMoat(args, options);
  const result = finished(child);
  child.stdin.on('error', () => {}).end(options.input ?? '');
  return result;
}

export async function finished(child: Running): Promise<Result> {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}
