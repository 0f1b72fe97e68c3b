import { fromHex } from '@moat/testkit';
import { type ConnectFields, connectPacket } from '@moat/testkit/packets';
import { dial } from '../dial.js';
import type { Drill, Run } from '../drill.js';
import { attackWith } from '../horde.js';
import { within } from '../within.js';

/** Connections under way at once. */
const size = 500;
/** Addresses that they come from, in four networks. */
const addresses = 1_000;

/** Milliseconds that one which does not wait for its answer stays. */
const glimpse = 50;

async function run({ broker: { address, legitimate }, amount, signal, report }: Run): Promise<void> {
  const kinds: readonly ConnectFields[] = [
    {},
    { username: legitimate?.username ?? 'admin', password: 'a guess' },
    { username: 'nobody', password: 'a guess' },
  ];
  const shapes = [
    ['which wait for their answer', undefined],
    ['which are gone before they are answered', glimpse],
  ] as const;
  for (const [what, stays] of shapes) {
    const answers = { refused: 0, welcome: 0 };
    const { opened } = await attackWith({
      size,
      most: Math.ceil(amount.count / shapes.length),
      signal: within(signal, amount.seconds / shapes.length),
      open(number) {
        const socket = dial(address, number % addresses);
        const clientId = `flood${number}`;
        socket.write(fromHex(connectPacket(4, { ...kinds[number % kinds.length], clientId })));
        socket.on('data', (connack: Buffer) => {
          answers[connack[3] === 0 ? 'welcome' : 'refused']++;
          socket.resetAndDestroy(); // which keeps no port busy
        });
        if (stays !== undefined) setTimeout(() => socket.resetAndDestroy(), stays);
        return socket;
      },
    });
    const { refused, welcome } = answers;
    report({
      tried: `${opened} connects from ${addresses} addresses, without a name and with wrong passwords, ${what}`,
      happened: `${welcome} let in, ${refused} answered with a refusal, ${opened - welcome - refused} closed unanswered`,
      survived: legitimate === undefined || welcome === 0,
    });
  }
}

export const connectFlood: Drill = {
  name: 'connect-flood',
  summary: 'Connects as fast as one core can, from many addresses, and is never let in',
  seenIn: 'every broker that spends much on a stranger',
  unit: 'connects',
  intensity: { small: { count: 2_000, seconds: 2 }, full: { count: 500_000, seconds: 30 } },
  workload: { connects: 0.95, messages: 0.95, growthMiB: 512, remains: 0.1 },
  needs: 'address',
  run,
};
