import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Audit, type AuditFields } from '../../dist/audit/audit.js';
import { Denials } from '../../dist/connection/denials.js';

const subject = { username: 'alice', clientId: 'c', method: 'password', address: '127.0.0.1', listener: 'mqtt:1883' };
const denied = { allowed: false, rule: undefined, reserved: false };

function start() {
  const told: string[] = [];
  const tell = ({ action, topic, rule, count = 1 }: AuditFields): number =>
    told.push(`${count} ${action} ${topic} ${rule}`);
  const audit = new Audit({ info: tell, error: tell });
  return { told, audit, denials: new Denials(audit, subject) };
}

describe('The denials of a client', () => {
  it('are told one by one, and those that repeat by their number', () => {
    const { told, audit, denials } = start();
    for (const now of [0, 1, 9_999]) denials.add('publish', 'a', denied, now);
    denials.add('receive', 'a', { ...denied, reserved: true }, 5);
    assert.deepEqual(told, ['1 publish a default', '1 receive a reserved']);
    denials.add('publish', 'a', denied, 10_000);
    assert.deepEqual(told.splice(0), ['1 publish a default', '1 receive a reserved', '3 publish a default']);
    denials.add('publish', 'a', denied, 10_001);
    denials.flush();
    assert.deepEqual(told, ['1 publish a default']);
    assert.equal(audit.counts['policy.denied'], 6);
  });

  it('count each message of a run', () => {
    const { told, audit, denials } = start();
    denials.add('publish', 'a', denied, 0, 3);
    denials.add('publish', 'a', denied, 1, 20);
    denials.flush();
    assert.deepEqual(told, ['3 publish a default', '20 publish a default']);
    assert.equal(audit.counts['policy.denied'], 23);
  });

  it('are all told, however many topics there are', () => {
    const { told, audit, denials } = start();
    for (let round = 0; round < 2; round++)
      for (let topic = 0; topic < 1_001; topic++) denials.add('publish', String(topic), denied, 0);
    denials.flush();
    assert.equal(audit.counts['policy.denied'], 2_002);
    const sum = told.reduce((total, line) => total + Number.parseInt(line, 10), 0);
    assert.equal(sum, 2_002);
  });
});
