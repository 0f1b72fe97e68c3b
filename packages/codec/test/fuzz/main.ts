import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.js';

const USAGE = 'Usage: npm run fuzz -- [--packets N] [--seed S]\n';
const MEBIBYTE = 1_048_576;
/** Growth of the process that the collector's slack explains; beyond it, memory is being lost. */
const MAXIMUM_GROWTH = 256 * MEBIBYTE;
const LINE_EVERY_MILLISECONDS = 1000;

function readArguments(): { packets: number; seed: number } | undefined {
  try {
    const { values } = parseArgs({ options: { packets: { type: 'string' }, seed: { type: 'string' } } });
    const packets = Number(values.packets ?? '1000000');
    const seed = Number(values.seed ?? String(Date.now() % 0x1_0000_0000));
    return Number.isInteger(packets) && packets > 0 && Number.isInteger(seed) && seed >= 0
      ? { packets, seed }
      : undefined;
  } catch {
    return undefined;
  }
}

function main(): number {
  const given = readArguments();
  if (given === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { packets, seed } = given;
  process.stdout.write(`Fuzzing with ${packets} packets from seed ${seed}\n`);
  const started = performance.now();
  const memoryAtStart = process.memoryUsage.rss();
  let lastLine = started;
  const report = fuzz(packets, seed, ({ packets: done, accepted, refused }) => {
    if (done % 64 !== 0) return;
    const now = performance.now();
    if (now - lastLine < LINE_EVERY_MILLISECONDS) return;
    lastLine = now;
    const rate = Math.round((done / (now - started)) * 1000);
    const memory = Math.round(process.memoryUsage.rss() / MEBIBYTE);
    process.stdout.write(`${done} packets, ${rate}/s, ${accepted} accepted, ${refused} refused, ${memory} MiB\n`);
  });
  const growth = process.memoryUsage.rss() - memoryAtStart;
  process.stdout.write(
    `${report.packets} packets: ${report.accepted} conversations accepted, ${report.refused} refused; memory grew by ${Math.round(growth / MEBIBYTE)} MiB\n`,
  );
  if (report.finding !== undefined) {
    const { message, role, chunks } = report.finding;
    process.stdout.write(`FOUND with seed ${seed}, role ${role}: ${message}\n${chunks.join('\n')}\n`);
    return 1;
  }
  if (growth > MAXIMUM_GROWTH) {
    process.stdout.write(`FOUND with seed ${seed}: memory grew by more than ${MAXIMUM_GROWTH / MEBIBYTE} MiB\n`);
    return 1;
  }
  return 0;
}

process.exitCode = main();
