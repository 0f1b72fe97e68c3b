import { execFileSync } from 'node:child_process';

/** How large a file this process may make, in bytes (setrlimit(2)). */
export function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

/** Runs an action while no file of this process may have a byte, as on a disk that is full; Node.js ignores SIGXFSZ. */
export async function withoutRoom(action: () => Promise<void>): Promise<void> {
  limitFiles(0);
  try {
    await action();
  } finally {
    limitFiles('unlimited');
  }
}
