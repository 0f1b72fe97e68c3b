import type { Socket } from 'node:net';
import { clientHello, withEarlyData } from '../client-hello.js';
import { dial, spread } from '../dial.js';
import type { Drill, Run } from '../drill.js';
import { attackWith } from '../horde.js';
import { within } from '../within.js';

/** Connections under way at once. */
const size = 500;
/** Networks that they come from, one address of each. */
const networks = 200;
/** The most that a record of TLS may hold. */
const record = 16_384;

async function run({ broker: { secure }, amount, signal, report }: Run): Promise<void> {
  if (secure === undefined)
    return report({ tried: 'handshakes', happened: 'it is not known where it speaks TLS', survived: true });
  const hello = await clientHello();
  const { tls: _, ...plain } = secure;
  const shapes: readonly (readonly [what: string, begin: (socket: Socket) => void])[] = [
    ['a ClientHello, and gone when it is answered', (socket) => void socket.write(hello)],
    ['half a ClientHello, and silence', (socket) => void socket.write(hello.subarray(0, hello.length >> 1))],
    [
      'a ClientHello with early data of nobody, again and again',
      (socket) => shower(socket, withEarlyData(hello, record)),
    ],
  ];
  for (const [what, begin] of shapes) {
    const own = within(signal, amount.seconds / shapes.length);
    let answered = 0;
    const { opened } = await attackWith({
      size,
      most: Math.ceil(amount.count / shapes.length),
      signal: own,
      open(number) {
        const socket = dial(plain, spread(number, networks));
        begin(socket);
        socket.once('data', () => {
          answered++;
          socket.resetAndDestroy();
        });
        return socket;
      },
    });
    report({ tried: what, happened: `${opened} connections, of which ${answered} were answered`, survived: true });
  }
}

/** So much more that a server which kept it all would notice. */
function shower(socket: Socket, bytes: Buffer): void {
  for (let each = 0; each < 16; each++) socket.write(each === 0 ? bytes : bytes.subarray(bytes.length - record - 5));
}

export const tlsFlood: Drill = {
  name: 'tls-flood',
  summary: 'Begins handshakes as fast as one core can, and abandons them; sends early data that nobody may send',
  seenIn: 'every server to which a handshake costs more than to its client',
  unit: 'handshakes',
  intensity: { small: { count: 600, seconds: 2 }, full: { count: 300_000, seconds: 30 } },
  workload: { connects: 0.95, messages: 0.95, growthMiB: 256, remains: 0.1 },
  cheapPasswords: true,
  needs: 'address',
  run,
};
