import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encode,
  isSharedFilter,
  isValidTopicFilter,
  isValidTopicName,
  PacketType,
  parseSharedFilter,
} from '@moat/codec';
import fc from 'fast-check';
import { connected } from './collector.js';

test('A topic name is not empty and has no wildcard [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT3-4.7.1-1] [MQTT3-4.7.3-1]', () => {
  for (const topic of ['a', '/', 'a//b', ' ', '$SYS/a', 'é', '/a/']) assert.equal(isValidTopicName(topic), true, topic);
  for (const topic of ['', '+', '#', 'a/+', 'a+', 'a#b']) assert.equal(isValidTopicName(topic), false, topic);
});

test('# stands alone in the last level [MQTT-4.7.1-1] [MQTT3-4.7.1-2]', () => {
  for (const filter of ['#', '/#', 'a/#', '+/#', 'a//#']) assert.equal(isValidTopicFilter(filter), true, filter);
  for (const filter of ['a#', '#a', '#/', '#/a', 'a/#/b', '##', 'a/##', '/a#', '#/#']) {
    assert.equal(isValidTopicFilter(filter), false, filter);
  }
});

test('+ stands alone in any level [MQTT-4.7.1-2] [MQTT3-4.7.1-3]', () => {
  for (const filter of ['+', '/+', '+/', '+/+/+', 'a/+/b', '//+//'])
    assert.equal(isValidTopicFilter(filter), true, filter);
  for (const filter of ['a+', '+a', 'a/b+/c', 'a/+b', '++', '+#', '#+']) {
    assert.equal(isValidTopicFilter(filter), false, filter);
  }
});

test('A topic filter is not empty [MQTT-4.7.3-1] [MQTT3-4.7.3-1]', () => {
  assert.equal(isValidTopicFilter(''), false);
});

test('A shared subscription has a name without wildcards and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2]', () => {
  assert.deepEqual(parseSharedFilter('$share/group/a/+/#'), { shareName: 'group', filter: 'a/+/#' });
  assert.deepEqual(parseSharedFilter('$share/g//'), { shareName: 'g', filter: '/' });
  for (const filter of [
    '$share',
    '$share/',
    '$share/ab',
    '$share/ab/',
    '$share//a',
    '$share/a+/b',
    '$share/#/b',
    '$share/g/a#',
  ]) {
    assert.equal(isSharedFilter(filter), true, filter);
    assert.equal(isValidTopicFilter(filter), false, filter);
    assert.equal(parseSharedFilter(filter), undefined, filter);
  }
});

test('A filter that only looks like a shared one is an ordinary one', () => {
  for (const filter of ['$shared/a/b', '$SHARE/a', 'a/$share/b', 'share/x']) {
    assert.equal(isSharedFilter(filter), false, filter);
    assert.equal(isValidTopicFilter(filter), true, filter);
    assert.equal(parseSharedFilter(filter), undefined, filter);
  }
});

test('The validity of a filter is that of each of its levels', () => {
  const levels = fc.array(fc.constantFrom('', 'a', '+', '#', 'a+', '#b', '$share'), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(levels, (parts) => {
      const filter = parts.join('/');
      fc.pre(!isSharedFilter(filter));
      const valid =
        filter !== '' &&
        parts.every((part, at) => !/[+#]/.test(part) || part === '+' || (part === '#' && at === parts.length - 1));
      assert.equal(isValidTopicFilter(filter), valid, filter);
    }),
  );
});

test('A topic name is read as it was written, first and again, however many others come between', () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `${'é'.repeat(at % 90)}/${at}`);
  const { parser, collector } = connected('client', 4);
  for (const topic of [...names, ...names.slice(0, 5000), ...names.slice(0, 5000)]) {
    const plain = { payload: new Uint8Array(0), qos: 0, retain: false, dup: false, packetId: 0 } as const;
    parser.feed(encode({ type: PacketType.PUBLISH, topic, ...plain }, 4));
    const last = collector.packets.pop();
    assert.equal(last?.type === PacketType.PUBLISH && last.topic, topic);
  }
});
