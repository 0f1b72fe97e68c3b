import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, scratchDirectory } from '@moat/testkit';
import { threeDigits } from '../format.js';
import type { Study } from '../study.js';

const sizes = { '4 KiB': 4_096, '256 KiB': 262_144 } as const;
const measuredMs = 1_000;
/** The writes go round in a file of this many bytes, as those of a store do that uses its pages again. */
const fileBytes = 16 * 1024 * 1024;

/** What the disk under the brokers' files does by itself: write, fdatasync, and again. */
export const diskStudy: Study = {
  name: 'disk',
  run() {
    const rows = Object.entries(sizes).map(([name, bytes]) => {
      const times = measure(bytes).sort((a, b) => a - b);
      const total = times.reduce((sum, each) => sum + each, 0);
      const at = (share: number): string => threeDigits(times[Math.floor(share * (times.length - 1))] ?? 0);
      const rate = Math.round((times.length / total) * 1000).toLocaleString('en-US');
      return { cells: ['write and fdatasync', name, rate, at(0.5), at(0.99)] };
    });
    return {
      table: { title: 'The disk of this run', head: ['what', 'bytes', 'per second', 'p50 ms', 'p99 ms'], rows },
      verdicts: [],
    };
  },
};

/** Milliseconds of each. */
function measure(bytes: number): number[] {
  const directory = scratchDirectory();
  const file = openSync(join(directory, 'disk'), 'w');
  const block = Buffer.alloc(bytes, 'moat ');
  const times: number[] = [];
  try {
    for (let at = 0; at < fileBytes; at += bytes) writeSync(file, block, 0, bytes, at);
    fdatasyncSync(file);
    const end = performance.now() + measuredMs;
    for (let at = 0; performance.now() < end; at = (at + bytes) % fileBytes) {
      const startedAt = performance.now();
      writeSync(file, block, 0, bytes, at);
      fdatasyncSync(file);
      times.push(performance.now() - startedAt);
    }
  } finally {
    closeSync(file);
    removeDirectory(directory);
  }
  return times;
}
