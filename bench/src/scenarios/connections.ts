/** Connections: what an idle one occupies, and what it costs to open and close one. */

import { setTimeout as wait } from 'node:timers/promises';
import { LoadProcess } from '@moat/cli/load';
import { cpuMicros, residentBytes } from '@moat/testkit';
import type { Broker, Ports } from '../peer/peer.js';
import type { Sample, Scenario } from '../scenario.js';

const concurrency = 32;
/** Connections before the first that counts: a broker runs for months, and V8 compiles what is hot in its first seconds. */
const connectWarmUp = 8_000;
/** Connections before memory is first read: what a broker sets up once is not counted for each. */
const idleWarmUp = 200;

export const connectionScenarios: readonly Scenario[] = [
  {
    name: 'idle',
    group: 'Connections, plain TCP',
    title: 'idle, for each',
    floors: [{ metric: 'memory', atMost: 12_000 }],
    measure: (broker, effort) => measureIdle(broker, 'plain', effort.idlePlain, effort.settleMs),
  },
  {
    name: 'tls-idle',
    group: 'Connections, TLS 1.3',
    title: 'idle, for each',
    floors: [{ metric: 'memory', atMost: 42_000 }],
    measure: (broker, effort) => measureIdle(broker, 'secure', effort.idleSecure, effort.settleMs),
  },
  {
    name: 'connect',
    group: 'Connections, plain TCP',
    title: 'connect and disconnect',
    floors: [{ metric: 'cpu', against: 'mosquitto', atMost: 2 }],
    measure: (broker, effort) => measureConnect(broker, 'plain', effort.connectPlain),
  },
  {
    name: 'tls-connect',
    group: 'Connections, TLS 1.3',
    title: 'connect and disconnect, full handshake',
    floors: [{ metric: 'cpu', against: 'mosquitto', atMost: 1.1 }],
    measure: (broker, effort) => measureConnect(broker, 'secure', effort.connectSecure),
  },
  {
    name: 'tls-connect-mutual',
    group: 'Connections, TLS 1.3',
    title: 'the same with client certificates, 500 of them, and a revocation list of 1,000',
    floors: [{ metric: 'cpu', against: 'mosquitto', atMost: 1 }],
    measure: (broker, effort) => measureConnect(broker, 'mutual', effort.connectSecure),
  },
];

async function measureIdle(broker: Broker, port: keyof Ports, count: number, settleMs: number): Promise<Sample> {
  const target = broker[port];
  const first = await LoadProcess.open({ kind: 'connect', target, concurrency });
  const load = await LoadProcess.open({ kind: 'idle', target });
  try {
    await first.run(idleWarmUp);
    await wait(settleMs);
    const before = residentBytes(broker.pids);
    await load.run(count);
    await wait(settleMs);
    const after = residentBytes(broker.pids);
    await load.run(0); // rejects if a connection has been lost meanwhile
    return { memory: (after - before) / count };
  } finally {
    first.kill();
    load.kill();
  }
}

async function measureConnect(broker: Broker, port: keyof Ports, count: number): Promise<Sample> {
  const target = broker[port];
  const load = await LoadProcess.open({ kind: 'connect', target, concurrency });
  try {
    await load.run(connectWarmUp);
    const before = cpuMicros(broker.pids);
    const { elapsedMs } = await load.run(count);
    const cpu = cpuMicros(broker.pids) - before;
    return { cpu: cpu / count, perSecond: (count / elapsedMs) * 1000, busy: cpu / 1000 / elapsedMs };
  } finally {
    load.kill();
  }
}
