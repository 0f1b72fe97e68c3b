import { fromHex } from '@moat/testkit';
import { type ConnectFields, connectPacket } from '@moat/testkit/packets';
import { dial } from '../dial.js';
import type { Drill, Run } from '../drill.js';
import { attackWith } from '../horde.js';

/** Connections under way at once. */
const size = 500;
/** Addresses that they come from, in four networks. */
const addresses = 1_000;

async function run({ broker: { address, legitimate }, amount, signal, report }: Run): Promise<void> {
  const answers = { refused: 0, welcome: 0 };
  const kinds: readonly ConnectFields[] = [
    {},
    { username: legitimate?.username ?? 'admin', password: 'a guess' },
    { username: 'nobody', password: 'a guess' },
  ];
  const { opened } = await attackWith({
    size,
    most: amount.count,
    signal,
    open(number) {
      const socket = dial(address, number % addresses);
      const clientId = `flood${number}`;
      socket.write(fromHex(connectPacket(4, { ...kinds[number % kinds.length], clientId })));
      socket.on('data', (connack: Buffer) => {
        answers[connack[3] === 0 ? 'welcome' : 'refused']++;
        socket.resetAndDestroy(); // which keeps no port busy
      });
      return socket;
    },
  });
  const { refused, welcome } = answers;
  report({
    tried: `${opened} connects from ${addresses} addresses, without a name and with wrong passwords`,
    happened: `${welcome} let in, ${refused} answered with a refusal, ${opened - welcome - refused} closed unanswered`,
    survived: legitimate === undefined || welcome === 0,
  });
}

export const connectFlood: Drill = {
  name: 'connect-flood',
  summary: 'Connects as fast as one core can, from many addresses, and is never let in',
  seenIn: 'every broker that spends much on a stranger',
  unit: 'connects',
  intensity: { small: { count: 2_000, seconds: 2 }, full: { count: 500_000, seconds: 30 } },
  workload: { connects: 0, messages: 0.95, growthMiB: 256, remains: 0.1 },
  needs: 'address',
  run,
};
