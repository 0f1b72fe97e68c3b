import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { packet, publish, subscribe, text, unsubscribe } from '../support/packets.js';

const { port, stop } = await startBroker({ limits: { max_topic_length: 65_535 }, sys_interval: 3_600 });
after(stop);

/** Topic filters, what they match, and what they do not. */
const matching: readonly [filter: string, matches: readonly string[], others: readonly string[]][] = [
  ['#', ['a', '/a', 'a/b/c', '/', 'a//b'], ['$a', '$a/b', '$SYS/x']],
  ['/#', ['/', '/a', '/a/b', '//a'], ['a', 'a/b']],
  ['a/#', ['a', 'a/', 'a/b', 'a/b/c'], ['b', 'ab', 'A', '/a', 'b/a']],
  ['+', ['a', 'b c'], ['/a', 'a/b', 'a/', '$a']],
  ['+/+', ['a/b', '/a', 'a/', '/'], ['a', 'a/b/c', '$a/b']],
  ['/+', ['/a', '/'], ['a', '/a/b', 'a/b']],
  ['a/+', ['a/b', 'a/'], ['a', 'a/b/c']],
  ['a/+/c', ['a/b/c', 'a//c'], ['a/c', 'a/b/b/c']],
  ['+/b/#', ['a/b', 'a/b/c', '/b'], ['$a/b', 'b', 'a/c']],
  ['a/+/#', ['a/b', 'a/b/c', 'a/'], ['a']],
  ['foo//baz', ['foo//baz'], ['foo/baz', 'foo/x/baz']],
  ['foo/+/baz//', ['foo//baz//'], ['foo//baz/', 'foo//baz']],
  ['/+/#', ['/', '/a', '/a/b', '////foo///bar'], ['a/b', 'a']],
  ['+/+/+/+/+/+/+/+/+/+/test', ['a/b/c/d/e/f/g/h/i/j/test', '//////////test'], ['a/test', 'a/b/c/d/e/f/g/h/i/test']],
  ['$a/#', ['$a', '$a/b'], ['a/b', '$b/a']],
  ['$a/+', ['$a/b'], ['$a', '$b/b']],
  ['a', ['a'], ['A', 'a/', ' a', 'a ', '/a']],
  ['a b/C', ['a b/C'], ['a b/c', 'ab/C']],
  // One code point and two that look the same: neither is made the other.
  ['\u00e9', ['\u00e9'], ['e\u0301', 'e']],
  ['\ufeffa', ['\ufeffa'], ['a']],
];

for (const version of [4, 5] as const) {
  describe(`Topic filters in ${version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'}`, () => {
    for (const [filter, matches, others] of matching) {
      it(`${filter} matches ${matches.join(', ')}, not ${others.join(', ')} [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] [MQTT-4.7.3-4]`, async () => {
        const [subscriber, publisher] = [await connected(port, version), await connected(port, version)];
        subscriber.send(subscribe(version, 1, { [filter]: 0 }));
        await readPacket(subscriber);
        // $SYS is the broker's to write: a QoS 0 message to it is dropped.
        for (const topic of [...others, ...matches]) publisher.send(publish(version, topic, 'x'));
        for (const topic of matches) assert.equal(await readPacket(subscriber), publish(version, topic, 'x'));
        await ping(subscriber);
        subscriber.end();
        publisher.end();
      });

      it(`${filter} gets the retained messages of ${matches.join(', ')}, not of ${others.join(', ')} [MQTT-4.7.2-1]`, async () => {
        const [subscriber, publisher] = [await connected(port, version), await connected(port, version)];
        const topics = [...others, ...matches];
        for (const topic of topics) publisher.send(publish(version, topic, 'kept', { retain: true }));
        await ping(publisher);
        subscriber.send(subscribe(version, 1, { [filter]: 0 }));
        await readPacket(subscriber);
        const received = new Set<string>();
        for (const _ of matches) received.add(await readPacket(subscriber));
        const expected = matches.map((topic) => publish(version, topic, 'kept', { retain: true }));
        assert.deepEqual(received, new Set(expected));
        await ping(subscriber);
        for (const topic of topics) publisher.send(publish(version, topic, '', { retain: true }));
        await ping(publisher);
        subscriber.end();
        publisher.end();
      });
    }

    it('are matched by the whole of a topic name of 65,535 bytes [MQTT-4.7.3-3]', async () => {
      const client = await connected(port, version);
      const long = 'x'.repeat(65_535);
      client.send(subscribe(version, 1, { [long]: 0, [`${long.slice(1)}y`]: 0 }));
      await readPacket(client);
      client.send(publish(version, `${long.slice(1)}z`, ''));
      client.send(publish(version, long, ''));
      assert.equal(await readPacket(client), publish(version, long, ''));
      client.end();
    });

    it('of 65,535 slashes are refused at once, and the client goes on [MQTT-4.7.3-3]', async () => {
      const client = await connected(port, version);
      const slashes = '/'.repeat(65_535);
      client.send(subscribe(version, 1, { [slashes]: 0, '+': 0 }));
      await client.expect(version === 5 ? '90 05 0001 00 8f 00' : '90 04 0001 80 00');
      client.send(unsubscribe(version, 2, slashes));
      await client.expect(version === 5 ? 'b0 04 0002 00 11' : 'b0 02 0002');
      client.end();
    });
  });

  describe(`Topic names in ${version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1'}`, () => {
    const refused: Readonly<Record<string, string>> = {
      'a + in a topic name [MQTT-4.7.0-1]': text('a/+'),
      'a # in a topic name [MQTT-4.7.0-1]': text('#'),
      'a wildcard within a level [MQTT-4.7.0-1]': text('a+b'),
      'an empty topic name [MQTT-4.7.3-1]': text(''),
      'U+0000 in a topic name [MQTT-4.7.3-2]': '0003610062',
      '65,535 slashes [MQTT-4.7.3-3]': text('/'.repeat(65_535)),
    };
    for (const [title, topic] of Object.entries(refused)) {
      it(`with ${title} end the connection, and nobody receives them`, async () => {
        const [watcher, client] = [await connected(port, version), await connected(port, version)];
        watcher.send(subscribe(version, 1, { '#': 0 }));
        await readPacket(watcher);
        client.send(packet('30', topic, version === 5 ? '00' : ''));
        if (version === 5) assert.match(await readPacket(client), /^e001(81|82|90)$/);
        await client.closed();
        await ping(watcher);
        watcher.end();
      });
    }

    it('that look like a shared subscription are nobody’s to write, and those that only begin like $SYS are', async () => {
      const client = await connected(port, version);
      client.send(publish(version, '$share/g/t', 'x', { qos: 1, packetId: 1 }));
      await client.expect(version === 5 ? '40 03 0001 87' : '40 02 0001');
      client.send(subscribe(version, 2, { '$SYSTEM/t': 1 }));
      await readPacket(client);
      client.send(publish(version, '$SYSTEM/t', 'x', { qos: 0 }));
      assert.equal(await readPacket(client), publish(version, '$SYSTEM/t', 'x', { qos: 0 }));
      client.end();
    });

    it('that begin with $SYS are the broker’s to write: acknowledged, and dropped [MQTT-4.7.2-1]', async () => {
      const [watcher, client] = [await connected(port, version), await connected(port, version)];
      watcher.send(subscribe(version, 1, { '$SYS/mine/#': 0 }));
      await readPacket(watcher);
      client.send(publish(version, '$SYS/mine/0', 'x', { qos: 0, retain: true }));
      client.send(publish(version, '$SYS/mine/1', 'x', { qos: 1, packetId: 1 }));
      await client.expect(version === 5 ? '40 03 0001 87' : '40 02 0001');
      client.send(publish(version, '$SYS/mine/2', 'x', { qos: 2, packetId: 2 }));
      await client.expect(version === 5 ? '50 03 0002 87' : '50 02 0002');
      await ping(watcher);
      watcher.end();
      client.end();
    });
  });
}

describe('The topics of the broker itself', () => {
  it('are retained, and come to those who ask for $SYS by name [MQTT-4.7.2-1]', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { '#': 0, '+/broker/version': 0 }));
    await readPacket(client);
    await ping(client);
    client.send(subscribe(5, 2, { '$SYS/broker/version': 0 }));
    await readPacket(client);
    assert.match(await readPacket(client), new RegExp(`^31..${text('$SYS/broker/version')}`));
    client.end();
  });
});
