/** What a process has used, as the kernel counts it (proc(5)). */
import { readFileSync } from 'node:fs';

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that Node.js runs on. */
const ticksPerSecond = 100;

/** User and system time of all threads of `pids`, in microseconds, in steps of 10 ms each. */
export function cpuMicros(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMicrosOf(pid), 0);
}

/** Resident memory of `pids` in bytes, exact. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kilobytesOf(pid, 'smaps_rollup', 'Rss') * 1024, 0);
}

/** The same, some pages off: the exact count walks through all pages of a process, which cannot get new ones meanwhile. */
export function roughResidentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kilobytesOf(pid, 'status', 'VmRSS') * 1024, 0);
}

function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command's name, in parentheses, may hold anything; fields are counted after it: utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * (1_000_000 / ticksPerSecond);
}

function kilobytesOf(pid: number, file: string, name: string): number {
  const lines = readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\n');
  const line = lines.find((each) => each.startsWith(`${name}:`));
  return Number(/(\d+) kB$/.exec(line ?? '')?.[1]);
}
