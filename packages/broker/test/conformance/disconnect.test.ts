import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, hex, publish, subscribe, text, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

const watcher = await connected(port, 5);
after(() => watcher.end());
watcher.send(subscribe(5, 1, { 'wills/#': 0, 'late/#': 0 }));
await watcher.expect('90 05 0001 00 00 00');

describe('DISCONNECT of the client', () => {
  for (const version of [3, 4, 5] as const) {
    it(`in version ${version} is followed by the end of the connection, though the client keeps its side open [MQTT-3.14.4-2] [MQTT3-3.14.4-1]`, async () => {
      const client = await connected(port, version);
      client.send('e000');
      await once(client.socket, 'end');
      await client.closed();
    });

    it(`in version ${version} is the last packet that is acted upon [MQTT-3.14.4-1] [MQTT3-3.14.4-2]`, async () => {
      const client = await connected(port, version);
      client.send(`e000 ${publish(version, `late/${version}`, 'x')} c000`);
      await client.closed();
      await ping(watcher);
    });

    it(`in version ${version} does not cut off what was on its way to the client`, async () => {
      const client = await connected(port, version);
      client.send(subscribe(version, 1, { own: 0 }));
      await readPacket(client);
      client.send(`${publish(version, 'own', 'first')} ${publish(version, 'own', 'last')} e000`);
      await client.expect(publish(version, 'own', 'first'));
      await client.expect(publish(version, 'own', 'last'));
      await client.closed();
    });
  }

  for (const code of ['01', '05', '10', '87', '8b', '8d', '8e', 'ff']) {
    it(`with the code 0x${code}, which it has no right to, ends the connection and lets its will out [MQTT-3.14.2-1]`, async () => {
      const topic = `wills/${code}`;
      const client = await connected(port, 5, { will: will(5, topic, 'gone') });
      client.send(`e0 01 ${code}`);
      await client.closed();
      await watcher.expect(publish(5, topic, 'gone'));
    });
  }

  const malformed: Record<string, string> = {
    'reserved bits 1 [MQTT-3.14.1-1]': 'e1 00',
    'reserved bits 2 [MQTT-3.14.1-1]': 'e2 00',
    'reserved bits 4 [MQTT-3.14.1-1]': 'e4 00',
    'reserved bits 8 [MQTT-3.14.1-1]': 'e8 00',
    'a property without its value': 'e0 03 00 01 11',
    'a property length beyond the packet': 'e0 02 00 05',
    'a byte behind its properties': 'e0 03 00 00 00',
    'a property that is another packet’s': 'e0 05 00 03 21 0001',
    'a property that nobody knows': 'e0 04 00 02 7f 00',
  };
  for (const [title, bytes] of Object.entries(malformed)) {
    it(`is malformed with ${title}`, async () => {
      const client = await connected(port, 5);
      client.send(bytes);
      await client.expect('e0 01 81');
      await client.closed();
    });
  }

  const expiry = '11 00000001';
  const reason = `1f ${text('so')}`;
  const reference = `1c ${text('there')}`;
  for (const [title, properties] of Object.entries({ expiry, reason, reference })) {
    const length = properties.replaceAll(' ', '').length / 2;
    it(`is a protocol error with its ${title} twice, and lawful with one`, async () => {
      const client = await connected(port, 5, { properties: '11 00000005' });
      client.send(`e0 ${hex(2 + 2 * length, 1)} 00 ${hex(2 * length, 1)} ${properties} ${properties}`);
      await client.expect('e0 01 82');
      await client.closed();
      const other = await connected(port, 5, { properties: '11 00000005' });
      other.send(`e0 ${hex(2 + length, 1)} 00 ${hex(length, 1)} ${properties}`);
      await other.closed();
    });
  }

  for (const bytes of ['e1 00', 'e2 00', 'e4 00', 'e8 00', 'e0 01 00']) {
    it(`of 3.1.1 in the form ${bytes} is none: the connection ends and the will is published [MQTT3-3.14.1-1]`, async () => {
      const topic = `wills/${bytes}`;
      const client = await connected(port, 4, { will: will(4, topic, 'gone') });
      client.send(bytes);
      await client.closed();
      await watcher.expect(publish(5, topic, 'gone'));
    });
  }
});

describe('DISCONNECT of the server', () => {
  it('is followed by nothing, and what the client sends is not acted upon [MQTT-3.14.4-1] [MQTT-3.14.4-2]', async () => {
    const client = await connected(port, 5);
    client.send(`82 00 c000 ${publish(5, 'late/server', 'x')}`);
    await client.expect('e0 01 81');
    await client.closed();
    await ping(watcher);
  });

  it('never has a Session Expiry Interval, though the session has one [MQTT-3.14.2-2]', async () => {
    const fields = { clientId: 'expiring', properties: '11 0000003c' };
    const first = await connected(port, 5, fields);
    const second = await connected(port, 5, fields);
    await first.expect('e0 01 8e');
    await first.closed();
    second.end();
  });

  it('has its reason in words only where the client takes it [MQTT-3.14.2-3] [MQTT-3.14.2-4]', async () => {
    const broker = await startBroker({ reason_strings: true });
    after(broker.stop);
    const wordy = await connected(broker.port, 5, { properties: '27 00000100' });
    wordy.send('82 00');
    assert.match(await readPacket(wordy), /^e0..81..1f/);
    await wordy.closed();
    const small = await connected(broker.port, 5, { properties: '27 00000014' });
    small.send('82 00');
    await small.expect('e0 01 81');
    await small.closed();
    const deaf = await connected(broker.port, 5, { properties: '17 00' });
    deaf.send('82 00');
    await deaf.expect('e0 01 81');
    await deaf.closed();
  });

  it('is not sent before CONNACK: what is wrong then is said in CONNACK or not at all [MQTT-3.14.0-1]', async () => {
    const unknown = await RawClient.connect(port);
    unknown.send('e0 00');
    await unknown.closed();
    const refused = await RawClient.connect(port);
    refused.send(connectPacket(5, { properties: '15 0001 78' }));
    await refused.expect('20 03 00 8c 00');
    await refused.closed();
  });

  it('tells every client of 5.0 when the server shuts down, and lets wills out', async () => {
    const broker = await startBroker();
    const newer = await connected(broker.port, 5);
    const older = await connected(broker.port, 4);
    await broker.stop();
    await newer.expect('e0 01 8b');
    await newer.closed();
    await older.closed();
  });
});
