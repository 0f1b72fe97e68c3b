import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback } from '../../dist/connection/loopback.js';
import { parseProperties } from '../../dist/connection/properties.js';
import { resolveBroker } from '../../dist/connection/resolve.js';

test('a URL says protocol, host, port, path and who we are', async () => {
  const options = await resolveBroker({ url: 'ws://al%20ice:s%40cret@[::1]:8084/mqtt?x=1' });
  assert.deepEqual(options, {
    protocol: 'ws',
    host: '::1',
    port: 8084,
    path: '/mqtt?x=1',
    username: 'al ice',
    password: 's@cret',
  });
});

test('options win over the URL', async () => {
  const { host, port, username } = await resolveBroker({ url: 'mqtt://a@b:1', host: 'c', port: 2, username: 'd' });
  assert.deepEqual({ host, port, username }, { host: 'c', port: 2, username: 'd' });
});

test('the well-known plain ports are plain, every other is TLS', async () => {
  const protocols = await Promise.all(
    [1883, 8083, 8884, 8883, 12345].map(
      async (port) => (await resolveBroker({ host: 'broker.example', port })).protocol,
    ),
  );
  assert.deepEqual(protocols, ['mqtt', 'ws', 'wss', 'mqtts', 'mqtts']);
});

test('a password in a wrong URL is not repeated', async () => {
  await assert.rejects(
    resolveBroker({ url: 'http://alice:secret@host' }),
    ({ message }: Error) => !message.includes('secret'),
  );
});

test('this machine is told from others by its names', () => {
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '::1'])
    assert.equal(isLoopback(host), true, host);
  for (const host of ['', 'broker.example', '192.0.2.1', '::', '2001:db8::1', '127.0.0.1.example']) {
    assert.equal(isLoopback(host), false, host);
  }
});

test('properties are read by packet, user properties as often as they are given', () => {
  const words =
    'publish user-property a 1 publish user-property a 2 connect session-expiry-interval 60 will will-delay-interval 5';
  const { publish, connect, will } = parseProperties(words.split(' '));
  assert.deepEqual({ ...publish.userProperties }, { a: ['1', '2'] });
  assert.deepEqual(connect, { sessionExpiryInterval: 60 });
  assert.deepEqual(will, { willDelayInterval: 5 });
});

test('a user property may be called __proto__', () => {
  const { publish } = parseProperties(['publish', 'user-property', '__proto__', 'x']);
  assert.deepEqual(Object.entries(publish.userProperties ?? {}), [['__proto__', ['x']]]);
});
