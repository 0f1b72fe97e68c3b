import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultPolicy } from '../../dist/policy/default-policy.js';
import type { Subject } from '../../dist/policy/facts.js';
import { parsePolicy } from '../../dist/policy/parse.js';

const policy = parsePolicy(defaultPolicy, 'policy.yaml');
const plain = { qos: 0, retain: false };

function client(username: string | undefined, clientId = 'x'): Subject {
  return { username, clientId, method: 'password', address: '127.0.0.1', listener: 'mqtt:1883' };
}

describe('the default policy', () => {
  it('lets N connect as N and as N: followed by anything, and as nothing else', () => {
    const alice = policy.bind(client('alice'));
    for (const id of ['alice', 'alice:', 'alice:x/+#']) assert.equal(alice.decide('connect', id).allowed, true, id);
    for (const id of ['', 'alic', 'alicex', 'bob', 'Alice', 'x:alice'])
      assert.equal(alice.decide('connect', id).allowed, false, id);
  });

  it('never lets two user names have one client ID', () => {
    const name = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom('a', 'b', '*', '.') });
    const id = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', '*', '.', ':') });
    fc.assert(
      fc.property(name, name, id, (one, other, id) => {
        fc.pre(one !== other);
        const both = [one, other].every((username) => policy.bind(client(username)).decide('connect', id).allowed);
        assert.equal(both, false);
      }),
    );
  });

  it('gives N the tree devices/N and nothing else', () => {
    const alice = policy.bind(client('alice'));
    for (const action of ['publish', 'subscribe', 'receive'] as const) {
      assert.equal(alice.decide(action, 'devices/alice/t', plain).allowed, true);
      for (const topic of ['devices/bob/t', 'devices', 'devices/alicex', '$SYS/uptime', 'devices/alice2/t']) {
        assert.equal(alice.decide(action, topic, plain).allowed, false, `${action} ${topic}`);
      }
    }
    for (const filter of ['#', 'devices/#', 'devices/+', 'devices/+/t', '+/alice/#', '$share/g/devices/bob/#']) {
      assert.equal(alice.decide('subscribe', filter, plain).allowed, false, filter);
    }
    assert.equal(alice.decide('subscribe', '$share/g/devices/alice/#', plain).allowed, true);
  });

  it('lets admin do everything, and only read what the broker says about itself', () => {
    const admin = policy.bind(client('admin'));
    assert.equal(admin.decide('connect', 'anything').allowed, true);
    for (const filter of ['#', '$SYS/#', 'a/+/b']) assert.equal(admin.decide('subscribe', filter, plain).allowed, true);
    assert.equal(admin.decide('publish', 'a', plain).allowed, true);
    assert.equal(admin.decide('receive', '$SYS/uptime', plain).allowed, true);
    assert.equal(admin.decide('publish', '$SYS/uptime', plain).allowed, false);
  });

  it('gives nothing to a client without a user name, or with one that means something in a topic', () => {
    for (const username of [undefined, '', '+', '#', 'a/b', 'a\n', '\u0085']) {
      const bound = policy.bind(client(username, 'a'));
      assert.equal(bound.decide('connect', username ?? '').allowed, false);
      for (const topic of ['devices/a', 'devices//t', 'devices/undefined/t', 'devices/a/b/t', 'devices/+/t']) {
        assert.equal(bound.decide('publish', topic, plain).allowed, false);
      }
      assert.equal(bound.decide('subscribe', 'devices/+/#', plain).allowed, false);
    }
  });
});
