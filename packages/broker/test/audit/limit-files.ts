import { execFileSync } from 'node:child_process';

/** How large a file this process may make, in bytes (setrlimit(2)). */
export function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}
