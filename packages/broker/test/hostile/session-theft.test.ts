import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { type ConnectFields, connectPacket, publish, subscribe } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';

/*
 * Mosquitto #3553, #3551: another user connects with the victim's client ID, and gets or ends its session.
 */
const passwords = await passwordFile({ victim: 'v', thief: 't' });
// Everybody may use any client ID and topic: what protects the session is that it has an owner.
const { port, broker, stop } = await startBroker(
  { authentication: { allow_anonymous: true } },
  { files: { passwords } },
);
after(stop);

let clients = 0;
const kept = (version: 4 | 5): ConnectFields => ({
  clientId: `victim${++clients}`,
  cleanStart: false,
  ...(version === 5 ? { properties: '11 0000003c' } : {}),
});
const victim = { username: 'victim', password: 'v' };
const thieves: Record<string, ConnectFields> = {
  'another user': { username: 'thief', password: 't' },
  'another user with a wrong password': { username: 'thief', password: 'v' },
  'somebody without name': {},
};
const answerTo = (version: 4 | 5, fields: ConnectFields): string => {
  const [v5, v4] = fields.password === 'v' ? ['86', '05'] : ['85', '02'];
  return version === 5 ? `20 03 00 ${v5} 00` : `20 02 00 ${v4}`;
};

async function refused(version: 4 | 5, fields: ConnectFields): Promise<void> {
  const client = await RawClient.connect(port);
  client.send(`${connectPacket(version, fields)} ${subscribe(version, 1, { 'victim/#': 0 })} c000`);
  await client.expect(answerTo(version, fields));
  await client.closed();
}

describe('The session of a client', () => {
  for (const version of [4, 5] as const) {
    for (const [title, thief] of Object.entries(thieves)) {
      for (const cleanStart of [true, false]) {
        const how = `by ${title}, ${cleanStart ? 'with' : 'without'} a clean start, in version ${version}`;

        it(`is not taken over while it is connected, ${how}`, async () => {
          const fields = kept(version);
          const owner = await connected(port, version, { ...fields, ...victim });
          await refused(version, { ...fields, ...thief, cleanStart });
          await ping(owner);
          owner.end();
        });

        it(`is not resumed, ended or emptied while it is away, ${how}`, async () => {
          const fields = kept(version);
          const owner = await connected(port, version, { ...fields, ...victim });
          owner.send(subscribe(version, 1, { 'victim/secret': 1 }));
          assert.match(await readPacket(owner), /^90/);
          owner.send('e000');
          await owner.closed();
          const publisher = await connected(port, version, { ...victim, clientId: 'publisher' });
          publisher.send(publish(version, 'victim/secret', 'x', { qos: 1 }));
          assert.match(await readPacket(publisher), /^40020001/);
          publisher.end();
          await refused(version, { ...fields, ...thief, cleanStart });
          const back = await RawClient.connect(port);
          back.send(connectPacket(version, { ...fields, ...victim }));
          assert.match(await readPacket(back), /^20..0100/);
          await back.expect(publish(version, 'victim/secret', 'x', { qos: 1 }));
          back.end();
        });
      }
    }
  }

  it('is watched over: every attempt of a known user is an event', () => {
    assert.equal(broker.status().events['session.theft'], 16);
  });
});

describe('A user', () => {
  it('has as many sessions as it has client identifiers, and nobody else is in their way', async () => {
    const mine = await connected(port, 5, { ...victim, clientId: 'mine' });
    const other = await connected(port, 5, { username: 'thief', password: 't', clientId: 'other' });
    await ping(mine);
    await ping(other);
    mine.end();
    other.end();
  });
});
