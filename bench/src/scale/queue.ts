import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LoadProcess } from '@moat/cli/load';
import { cpuMicros, removeDirectory, residentBytes, scratchDirectory } from '@moat/testkit';
import { formats } from '../format.js';
import { judge } from '../outcome.js';
import { makeCertificate } from '../peer/certificate.js';
import { startMoat } from '../peer/moat.js';
import type { Broker } from '../peer/peer.js';
import type { Study } from '../study.js';
import { ownBytes } from './own-memory.js';

const sessions = 100;
const payloadBytes = 64;
/** As in the default profile: what is under way to a client has to be in memory. */
const inFlight = 1_000;
const fillMs = 1_000;
const sampleMs = 250;
const mostOwnBytes = 512e6;
const leastDrained = 100_000;

/** What one half of it took. */
interface Phase {
  readonly messages: number;
  readonly seconds: number;
  readonly cpu: number;
  /** The most that there was at any moment. */
  readonly peak: number;
}

/** Messages for sessions that are away, queued and fetched: how fast, and in what memory. */
export const queueStudy: Study = {
  name: 'scale-queue',
  async run({ queued }, say) {
    const directory = scratchDirectory();
    try {
      const broker = await startMoat(directory, await makeCertificate(scratchDirectory()), {
        authorization: { default: 'allow' },
        limits: { profile: 'off', max_inflight_messages: inFlight },
      });
      try {
        const filled = await watched(broker, () => fill(broker, queued, say));
        await wait(fillMs);
        const own = ownBytes(broker.pids[0] ?? 0);
        const resident = residentBytes(broker.pids);
        const disk = statSync(join(directory, 'store', 'data.mdb')).size;
        say(`${filled.messages} queued: ${formats.memory(own)}`);
        const drained = await watched(broker, () => drain(broker, filled.messages));
        return {
          table: {
            title: `${filled.messages.toLocaleString('en-US')} messages for ${sessions} sessions that are away`,
            head: ['', 'per second', 'broker CPU µs each', 'most own memory'],
            rows: [
              row('queued, QoS 1, on disk when acknowledged', filled),
              row('fetched by those who return', drained),
              {
                cells: [
                  `while they wait (${formats.memory(resident)} with pages of the store)`,
                  '–',
                  '–',
                  formats.memory(own),
                ],
              },
              { cells: [`on disk: ${formats.memory(disk)}`, '–', '–', '–'] },
            ],
          },
          verdicts: [
            {
              title: 'messages queued for sessions that are away',
              quantity: 'most own memory',
              ...judge({ atMost: mostOwnBytes }, Math.max(filled.peak, drained.peak), formats.memory),
            },
            {
              title: 'messages fetched by those who return',
              quantity: 'per second',
              ...judge({ atLeast: leastDrained }, drained.messages / drained.seconds, formats.perSecond),
            },
          ],
        };
      } finally {
        await broker.stop();
      }
    } finally {
      removeDirectory(directory);
    }
  },
};

function row(name: string, { messages, seconds, cpu, peak }: Phase): { cells: string[] } {
  return { cells: [name, formats.perSecond(messages / seconds), formats.cpu(cpu / messages), formats.memory(peak)] };
}

async function watched(broker: Broker, work: () => Promise<{ messages: number; elapsedMs: number }>): Promise<Phase> {
  const [pid = 0] = broker.pids;
  let peak = ownBytes(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, ownBytes(pid));
  }, sampleMs);
  const before = cpuMicros(broker.pids);
  try {
    const { messages, elapsedMs } = await work();
    return { messages, seconds: elapsedMs / 1000, cpu: cpuMicros(broker.pids) - before, peak };
  } finally {
    clearInterval(timer);
  }
}

async function fill(
  { plain: target }: Broker,
  queued: number,
  say: (line: string) => void,
): Promise<{ messages: number; elapsedMs: number }> {
  const shape = { kind: 'traffic', publishers: sessions, subscribers: sessions, payloadBytes, window: 20 } as const;
  const load = await LoadProcess.open({ ...shape, target, qos: 1, sessions: 'away' });
  try {
    let messages = 0;
    let elapsedMs = 0;
    while (messages < queued) {
      const result = await load.run(fillMs);
      messages += result.sent;
      elapsedMs += result.elapsedMs;
      if (Math.floor(messages / 1e6) > Math.floor((messages - result.sent) / 1e6)) say(`${messages} queued`);
    }
    return { messages, elapsedMs };
  } finally {
    load.kill();
  }
}

async function drain({ plain: target }: Broker, waiting: number): Promise<{ messages: number; elapsedMs: number }> {
  const load = await LoadProcess.open({ kind: 'drain', target, subscribers: sessions, payloadBytes });
  try {
    const { delivered, elapsedMs } = await load.run(waiting);
    if (delivered !== waiting) throw new Error(`invalid: ${delivered} of ${waiting} messages were delivered`);
    return { messages: delivered, elapsedMs };
  } finally {
    load.kill();
  }
}
