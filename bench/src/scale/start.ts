import { setTimeout as wait } from 'node:timers/promises';
import { cpuMicros, removeDirectory, residentBytes, scratchDirectory } from '@moat/testkit';
import { formats } from '../format.js';
import { judge } from '../outcome.js';
import { makeCertificate } from '../peer/certificate.js';
import { startMoat } from '../peer/moat.js';
import type { Effort } from '../scenario.js';
import type { Study } from '../study.js';
import { fill } from './fill.js';
import { type FleetSize, filters, payloadMark } from './fleet.js';
import { countInOwnMemory, ownBytes } from './own-memory.js';

/** Seconds. */
const longestStart = 5;
const mostBytesEach = 1_500;
/** A few hundred, however long it is, with the room that a heap leaves between. */
const mostBytesOfQueue = 600;
const fewQueued = 10;
/** Of what was read a last one may lie in a buffer that is used again. */
const mostPayloads = 10;

interface Started {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly own: number;
  readonly resident: number;
  readonly payloads: number;
}

/** A broker that starts on the store of a fleet that is away: how soon it is ready, and what memory it takes. */
export const startStudy: Study = {
  name: 'scale-start',
  async run(effort, say) {
    const { storedSessions: sessions, storedRetained: retained } = effort;
    const stores: readonly FleetSize[] = [
      { sessions: 0, retained: 0, queued: 0 },
      { sessions: sessions / 10, retained: 0, queued: 0 },
      { sessions, retained: 0, queued: 0 },
      { sessions, retained, queued: 0 },
      { sessions, retained: 0, queued: fewQueued },
      { sessions: sessions / 10, retained: 0, queued: 10 * fewQueued },
    ];
    const found: Started[] = [];
    for (const size of stores) {
      const started = await measure(size, effort);
      say(`${nameOf(size)}: ready in ${started.seconds.toFixed(2)} s, ${formats.memory(started.own)}`);
      found.push(started);
    }
    const [, tenth, fleet, all, waiting] = found as [Started, Started, Started, Started, Started, Started];
    const each = (fleet.own - tenth.own) / (sessions - sessions / 10);
    const queue = (waiting.own - fleet.own) / sessions;
    return {
      table: {
        title: 'Starting on what is stored',
        head: ['stored', 'ready, s', 'CPU, s', 'own memory', 'with pages of the store', 'payloads in own memory'],
        rows: found.map(({ seconds, cpuSeconds, own, resident, payloads }, index) => ({
          cells: [
            nameOf(stores[index] as FleetSize),
            seconds.toFixed(2),
            cpuSeconds.toFixed(2),
            formats.memory(own),
            formats.memory(resident),
            String(payloads),
          ],
        })),
      },
      verdicts: [
        {
          title: nameOf({ sessions, retained, queued: 0 }),
          quantity: 'start',
          ...judge({ atMost: longestStart }, all.seconds, (value) => `${value.toFixed(1)} s`),
        },
        {
          title: `stored session with ${filters.length} subscriptions, away`,
          quantity: 'own memory',
          ...judge({ atMost: mostBytesEach }, each, (value) => `${value.toFixed(0)} bytes`),
        },
        {
          title: 'queue of such a session',
          quantity: 'own memory',
          ...judge({ atMost: mostBytesOfQueue }, queue, (value) => `${value.toFixed(0)} bytes`),
        },
        {
          title: 'retained messages',
          quantity: 'payloads in own memory',
          ...judge({ atMost: mostPayloads }, all.payloads, String),
        },
      ],
    };
  },
};

async function measure(size: FleetSize, { settleMs }: Effort): Promise<Started> {
  const directory = scratchDirectory();
  try {
    await fill(directory, size);
    const certificate = await makeCertificate(scratchDirectory());
    const startedAt = performance.now();
    const broker = await startMoat(directory, certificate, { authorization: { default: 'allow' } });
    const seconds = (performance.now() - startedAt) / 1000;
    try {
      const [pid = 0] = broker.pids;
      const cpuSeconds = cpuMicros([pid]) / 1e6;
      await wait(settleMs);
      const payloads = countInOwnMemory(pid, payloadMark);
      return { seconds, cpuSeconds, own: ownBytes(pid), resident: residentBytes([pid]), payloads };
    } finally {
      await broker.stop();
    }
  } finally {
    removeDirectory(directory);
  }
}

function nameOf({ sessions, retained, queued }: FleetSize): string {
  if (sessions === 0) return 'nothing';
  const name = `${sessions.toLocaleString('en-US')} sessions with ${filters.length} subscriptions each`;
  const waiting = queued === 0 ? '' : `, ${queued} messages waiting for each`;
  return `${name}${waiting}${retained === 0 ? '' : `, ${retained.toLocaleString('en-US')} retained messages`}`;
}
