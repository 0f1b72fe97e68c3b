import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ConfigurationInput } from '../../dist/index.js';
import { connected, ping, readPacket, startBroker, type TestBroker } from '../support/broker.js';
import { connectPacket, group, packet, text } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const elsewhere = 'mqtt2.example.com:8883';
const reference = `1c${text(elsewhere)}`;

async function start(t: TestContext, input: ConfigurationInput): Promise<TestBroker> {
  const running = await startBroker(input);
  t.after(running.stop);
  return running;
}

/** What CONNECT is answered with when there is room for one session only. */
async function secondAnswer(
  t: TestContext,
  version: 4 | 5,
  properties = '',
  more: ConfigurationInput = {},
): Promise<string> {
  const { port } = await start(t, { limits: { max_sessions: 1 }, ...more });
  const first = await connected(port, version, { clientId: 'first' });
  const second = await RawClient.connect(port);
  second.send(connectPacket(version, { properties }));
  const connack = await readPacket(second);
  await second.closed();
  await ping(first);
  // The one that has a session may take it over, however full the broker is.
  const successor = await connected(port, version, { clientId: 'first' });
  await ping(successor);
  successor.end();
  return connack;
}

describe('A broker that has no room for another session (MQTT 5.0 §4.11)', () => {
  it('sends the client to the other server [MQTT-3.2.2-7]', async (t) => {
    const connack = await secondAnswer(t, 5, '', { server_reference: elsewhere });
    assert.equal(connack, packet('20', '009c', group(reference)));
  });

  it('leaves the reference out where the client does not take so much [MQTT-3.2.2-19]', async (t) => {
    assert.equal(await secondAnswer(t, 5, '27 00000014', { server_reference: elsewhere }), '2003009c00');
  });

  it('says that the quota is exceeded where it knows of no other', async (t) => {
    assert.equal(await secondAnswer(t, 5), '2003009700');
  });

  it('is unavailable to clients before 5.0 [MQTT-3.2.2-7]', async (t) => {
    assert.equal(await secondAnswer(t, 4, '', { server_reference: elsewhere }), '20020003');
  });
});

describe('A broker that shuts down', () => {
  it('sends its clients of 5.0 to the other server, and leaves the others [MQTT-3.14.2-2]', async (t) => {
    const running = await start(t, { server_reference: elsewhere });
    const [client, old] = [await connected(running.port, 5), await connected(running.port, 4)];
    await running.broker.stop();
    await client.expect(packet('e0', '9c', group(reference)));
    await client.closed();
    await old.closed();
  });

  it('says so where it knows of no other', async (t) => {
    const running = await start(t, {});
    const client = await connected(running.port, 5);
    await running.broker.stop();
    await client.expect('e0 01 8b');
    await client.closed();
  });

  it('sends first what is on its way', async (t) => {
    const running = await start(t, {});
    const client = await connected(running.port, 5);
    client.send('c000 c000');
    await client.expect('d000');
    await running.broker.stop();
    await client.expect('d000 e0 01 8b');
    await client.closed();
  });
});
