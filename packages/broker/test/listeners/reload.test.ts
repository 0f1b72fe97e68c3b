import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type ConfigurationInput, setPassword } from '../../dist/index.js';
import {
  connected,
  ping,
  portOf,
  readPacket,
  startBroker,
  type TestBroker,
  type TestOptions,
  testConfiguration,
} from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectPacket, publish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

async function start(t: TestContext, input: ConfigurationInput, options?: TestOptions): Promise<TestBroker> {
  const running = await startBroker(input, options);
  t.after(running.stop);
  return running;
}

const reload = ({ broker, directory }: TestBroker, input: ConfigurationInput): Promise<void> =>
  broker.reload(testConfiguration(directory, input));

const rules = (...topics: readonly string[]): string => `
rules:
  - { allow: connect, clientids: ["*"] }
  - { allow: [publish, subscribe, receive], topics: ${JSON.stringify(topics)} }
`;

describe('Reloading the listeners', () => {
  it('changes the path of one that stays, and every limit, without a connection lost', async (t) => {
    const running = await start(t, { listeners: [{ protocol: 'ws', port: 0, path: '/old' }] });
    const first = await RawWebSocket.connect(running.port, { path: '/old' });
    first.send(connectPacket(4));
    assert.equal(await first.read(4), '20020000');
    await reload(running, { listeners: [{ protocol: 'ws', port: 0, path: '/new' }], limits: { max_sessions: 1 } });
    const port = portOf(running.broker);
    await assert.rejects(RawWebSocket.connect(port, { path: '/old' }), /refused with 404/);
    const second = await RawWebSocket.connect(port, { path: '/new' });
    second.send(connectPacket(4));
    assert.equal(await second.read(4), '20020003'); // one session is all there may be
    first.send('c000');
    assert.equal(await first.read(2), 'd000');
    first.end();
    second.end();
  });

  it('opens new ones, and whoever is connected stays', async (t) => {
    const running = await start(t, {});
    const client = await connected(running.port, 5);
    await reload(running, {
      listeners: [
        { protocol: 'mqtt', port: 0 },
        { protocol: 'mqtt', bind: '127.0.0.2', port: 0 },
      ],
    });
    assert.equal(running.broker.listeners.length, 2);
    assert.equal(portOf(running.broker), running.port);
    await ping(client);
    (await connected(running.port, 4)).end();
    client.end();
  });

  it('closes those that are gone, one by one, and whoever came through them stays', async (t) => {
    const both: ConfigurationInput = {
      listeners: [
        { protocol: 'mqtt', port: 0 },
        { protocol: 'ws', port: 0 },
      ],
    };
    const running = await start(t, both);
    const client = await connected(running.port, 5);
    await reload(running, { listeners: [{ protocol: 'ws', port: 0 }] });
    assert.deepEqual(
      running.broker.listeners.map(({ protocol }) => protocol),
      ['ws'],
    );
    await assert.rejects(RawClient.connect(running.port), /ECONNREFUSED/);
    await ping(client);
    client.end();
  });

  it('opens what was closed before once more', async (t) => {
    const running = await start(t, {
      listeners: [
        { protocol: 'mqtt', port: 0 },
        { protocol: 'ws', port: 0 },
      ],
    });
    await reload(running, { listeners: [{ protocol: 'ws', port: 0 }] });
    await reload(running, {
      listeners: [
        { protocol: 'mqtt', port: running.port },
        { protocol: 'ws', port: 0 },
      ],
    });
    const client = await connected(running.port, 5);
    await ping(client);
    client.end();
  });
});

describe('Reloading certificates', () => {
  const listeners: ConfigurationInput['listeners'] = [{ protocol: 'mqtts', bind: '127.0.0.1', port: 0 }];

  async function startTls(t: TestContext): Promise<{ running: TestBroker; authority: TestAuthority }> {
    let authority: TestAuthority | undefined;
    const prepare = async (directory: string): Promise<void> => {
      authority = await TestAuthority.create(directory);
    };
    const running = await start(t, { listeners }, { prepare });
    assert.ok(authority);
    return { running, authority };
  }

  const serialOf = (client: RawClient): string => (client.socket as TLSSocket).getPeerCertificate().serialNumber;

  it('shows the new one to new connections, and the others stay', async (t) => {
    const { running, authority } = await startTls(t);
    const before = await RawClient.connect(running.port, { tls: { ca: authority.ca } });
    before.send(connectPacket(5));
    await readPacket(before);
    await authority.renewServer();
    await reload(running, { listeners });
    const after = await RawClient.connect(running.port, { tls: { ca: authority.ca } });
    assert.notEqual(serialOf(after), serialOf(before));
    await ping(before);
    before.end();
    after.end();
  });

  it('that cannot be read changes nothing, and says which file it is', async (t) => {
    const { running, authority } = await startTls(t);
    await rm(join(running.directory, 'pki', 'server.key'));
    const wanted: ConfigurationInput = { listeners: [...(listeners ?? []), { protocol: 'ws', port: 0 }] };
    await assert.rejects(reload(running, wanted), { code: 'tls.invalid', message: /server\.key/ });
    assert.equal(running.broker.listeners.length, 1);
    (await RawClient.connect(running.port, { tls: { ca: authority.ca } })).end();
  });
});

describe('Reloading the policy', () => {
  const strict: ConfigurationInput = { authorization: { default: 'deny' } };

  it('ends the subscriptions that lost their right, and no other', async (t) => {
    const running = await start(t, strict, { files: { 'policy.yaml': rules('a/#', 'b/#') } });
    const [client, publisher] = [await connected(running.port, 5), await connected(running.port, 5)];
    client.send(subscribe(5, 1, { 'a/#': 0, 'b/#': 0, '$share/g/b/x': 0 }));
    await client.expect('90 06 0001 00 00 00 00');
    await writeFile(join(running.directory, 'policy.yaml'), rules('a/#'));
    await reload(running, strict);
    assert.equal(running.broker.status().subscriptions, 1);
    publisher.send(publish(5, 'b/x', 'lost', { qos: 1 }));
    await publisher.expect('40 03 0001 87');
    publisher.send(publish(5, 'a/x', 'kept'));
    assert.equal(await readPacket(client), publish(5, 'a/x', 'kept'));
    await ping(client);
    await writeFile(join(running.directory, 'policy.yaml'), rules('a/#', 'b/#'));
    await reload(running, strict);
    publisher.send(publish(5, 'b/x', 'not subscribed any more', { qos: 1 }));
    await publisher.expect('40 03 0001 10');
    client.end();
    publisher.end();
  });

  it('keeps back what is queued for a session that lost its right to it', async (t) => {
    const running = await start(t, strict, { files: { 'policy.yaml': rules('a/#', 'b/#') } });
    const session = { clientId: 'away', cleanStart: false, properties: '11 0000003c' };
    const [client, publisher] = [await connected(running.port, 5, session), await connected(running.port, 5)];
    client.send(subscribe(5, 1, { 'a/#': 1, 'b/#': 1 }));
    await readPacket(client);
    client.send('e000');
    await client.closed();
    for (const [index, topic] of ['b/x', 'a/x'].entries()) {
      publisher.send(publish(5, topic, 'queued', { qos: 1, packetId: index + 1 }));
      await publisher.expect(`40 02 000${index + 1}`);
    }
    await writeFile(join(running.directory, 'policy.yaml'), rules('a/#'));
    await reload(running, strict);
    const resumed = await connected(running.port, 5, session);
    assert.equal(await readPacket(resumed), publish(5, 'a/x', 'queued', { qos: 1, packetId: 2 }));
    await ping(resumed);
    // The subscription was judged when the client came back.
    await writeFile(join(running.directory, 'policy.yaml'), rules('a/#', 'b/#'));
    await reload(running, strict);
    publisher.send(publish(5, 'b/x', 'gone', { qos: 1 }));
    await publisher.expect('40 03 0001 10');
    resumed.end();
    publisher.end();
  });

  it('with a mistake changes nothing, and says where it is', async (t) => {
    const running = await start(t, strict, { files: { 'policy.yaml': rules('a/#') } });
    const client = await connected(running.port, 5);
    await writeFile(join(running.directory, 'policy.yaml'), 'rules:\n  - { alow: connect }\n');
    await assert.rejects(reload(running, strict), /policy\.yaml:2:/);
    client.send(subscribe(5, 1, { 'a/#': 0 }));
    await client.expect('90 04 0001 00 00');
    client.end();
  });

  it('takes new users too', async (t) => {
    const closed: ConfigurationInput = { authentication: {} };
    const running = await start(t, closed);
    const hello = connectPacket(4, { username: 'carol', password: 'a new password' });
    const refused = await RawClient.connect(running.port);
    refused.send(hello);
    assert.match(await readPacket(refused), /^2002000[45]$/);
    await setPassword(join(running.directory, 'passwords'), 'carol', 'a new password');
    await reload(running, closed);
    const client = await RawClient.connect(running.port);
    client.send(hello);
    await client.expect('20020000');
    client.end();
  });
});
