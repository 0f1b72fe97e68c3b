import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { group, packet, publish, subscribe, text, unsubscribe } from '../support/packets.js';

const policy = `
rules:
  - { allow: connect, clientids: ["*"] }
  - { allow: [publish, subscribe, receive], topics: ["open/#"] }
  - { allow: publish, topics: ["secret/#"] }
`;
const strict = {
  authorization: { default: 'deny' as const },
  limits: { max_subscriptions: 3, max_topic_levels: 8, max_topic_length: 256 },
};
const files = { 'policy.yaml': policy };
const { port, stop } = await startBroker(strict, { files });
const talkative = await startBroker({ ...strict, reason_strings: true }, { files });
after(() => Promise.all([stop(), talkative.stop()]));

const tooDeep = `open/${'/'.repeat(8)}`;
const tooLong = `open/${'x'.repeat(260)}`;

describe('A filter that is not allowed', () => {
  it('is refused alone, in its place among the codes [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2]', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { 'open/a': 1, secret: 1, 'open/b': 2, [tooDeep]: 0, '#': 0, [tooLong]: 0 }));
    await client.expect('90 09 0001 00 01 87 02 8f 87 8f');
    client.end();
  });

  it('is refused with 0x80 before 5.0, whatever is wrong with it [MQTT3-3.8.4-5] [MQTT3-3.9.3-2]', async () => {
    const client = await connected(port, 4);
    client.send(subscribe(4, 1, { 'open/a': 1, secret: 1, 'open/b': 1, [tooDeep]: 0, 'open/c': 0, 'open/d': 1 }));
    await client.expect('90 08 0001 01 80 01 80 00 80');
    client.end();
  });

  it('is refused with 0x97 where it is one too many, and replacing one of those there are is not [MQTT-3.8.4-7]', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { 'open/1': 0, 'open/2': 0, 'open/3': 0, 'open/4': 0 }));
    await client.expect('90 07 0001 00 00 00 00 97');
    client.send(subscribe(5, 2, { 'open/3': 1 }));
    await client.expect('90 04 0002 00 01');
    client.send(unsubscribe(5, 3, 'open/1') + subscribe(5, 4, { 'open/4': 1 }));
    await client.expect('b0 04 0003 00 00 90 04 0004 00 01');
    client.end();
  });

  it('delivers nothing, in a shared subscription either [MQTT-3.8.4-7]', async () => {
    const client = await connected(port, 5);
    client.send(publish(5, 'secret/a', 'kept', { retain: true }));
    client.send(subscribe(5, 1, { 'secret/#': 0, '$share/g/secret/#': 0, '+/+': 0 }));
    await client.expect('90 06 0001 00 87 87 87');
    client.send(publish(5, 'secret/a', 'x'));
    await ping(client);
    client.end();
  });

  it('tells nothing but the code unless the operator wants that', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { secret: 0 }));
    await client.expect('90 04 0001 00 87');
    client.end();
  });
});

describe('With reason strings', () => {
  it('a refusal says why in words', async () => {
    const client = await connected(talkative.port, 5);
    client.send(subscribe(5, 1, { secret: 0 }));
    const words = group('1f', text('not authorized to subscribe'));
    assert.equal(await readPacket(client), packet('90', '0001', words, '87'));
    client.end();
  });

  it('a SUBACK that would be too large for the client comes without them [MQTT-3.9.2-1] [MQTT-3.9.2-2]', async () => {
    const client = await connected(talkative.port, 5, { properties: '27 00000014' });
    client.send(subscribe(5, 1, { 'open/a': 0, secret: 0 }));
    await client.expect('90 05 0001 00 00 87');
    client.end();
  });

  it('an UNSUBACK has nothing to explain, and stays as small as it can be [MQTT-3.11.2-1] [MQTT-3.11.2-2]', async () => {
    const client = await connected(talkative.port, 5, { properties: '27 00000014' });
    client.send(unsubscribe(5, 1, 'secret'));
    await client.expect('b0 04 0001 00 11');
    client.end();
  });

  it('a client that wants no problem information gets none [MQTT-3.1.2-29]', async () => {
    const client = await connected(talkative.port, 5, { properties: '17 00' });
    client.send(subscribe(5, 1, { secret: 0 }));
    await client.expect('90 04 0001 00 87');
    client.end();
  });
});
