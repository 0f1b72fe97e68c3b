import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type ConnectFields, connectPacket, type Version, will } from '@moat/testkit/packets';
import { startMoat } from './helpers/moat.js';

/** What `moat` connects with, in hexadecimal. */
type Case = readonly [args: string, version: Version, fields: ConnectFields];

const gone = (version: Version, options: Parameters<typeof will>[3] = {}) => will(version, 'w', 'gone', options);

const cases: readonly Case[] = [
  ['pub -t x -m x', 5, {}],
  ['pub -t x -m x -k 7', 5, { keepAlive: 7 }],
  ['pub -t x -m x -k 65535', 5, { keepAlive: 65_535 }],
  ['pub -t x -m x -V mqttv311 -u anna -P pw', 4, { username: 'anna', password: 'pw' }],
  ['pub -t x -m x -V 3.1', 3, {}],
  ['pub -t x -m x -D connect receive-maximum 9', 5, { properties: '21 0009' }],
  ['sub -t x --will-topic w --will-payload gone', 5, { will: gone(5) }],
  [
    'sub -t x -V 3.1.1 --will-topic w --will-payload gone --will-qos 2 --will-retain',
    4,
    { will: gone(4, { qos: 2, retain: true }) },
  ],
  [
    'sub -t x --will-topic w --will-payload gone -D will will-delay-interval 5',
    5,
    { will: gone(5, { properties: '18 00000005' }) },
  ],
  ['sub -t x --disable-clean-session', 5, { cleanStart: false, properties: '11 ffffffff' }],
  ['sub -t x --disable-clean-session -x 99', 5, { cleanStart: false, properties: '11 00000063' }],
  ['sub -t x -x 99', 5, { properties: '11 00000063' }],
  ['sub -t x -V 3.1.1 --disable-clean-session', 4, { cleanStart: false }],
];

describe('Options of moat pub and moat sub', () => {
  let server: Server;
  before(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  for (const [args, version, fields] of cases)
    test(`${args} is in CONNECT`, async () => {
      const { port } = server.address() as AddressInfo;
      const child = startMoat([...args.split(' '), '-i', 'me', '--url', `mqtt://127.0.0.1:${port}`]);
      const ended = once(child, 'exit');
      try {
        const [socket] = (await once(server, 'connection')) as [Socket];
        const [packet] = (await once(socket, 'data')) as [Buffer];
        assert.equal(packet.toString('hex'), connectPacket(version, { clientId: 'me', ...fields }).replaceAll(' ', ''));
        socket.destroy();
      } finally {
        child.kill('SIGKILL');
        await ended;
      }
    });
});
