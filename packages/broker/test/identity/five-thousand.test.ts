import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inTurns } from '@moat/testkit';
import { removePassword, setPassword } from '../../dist/index.js';
import { connected, ping, readPacket, startBroker, type TestBroker } from '../support/broker.js';
import { passwordFile } from '../support/passwords.js';
import type { RawClient } from '../support/raw-client.js';

const number = 5_000;
const atOnce = 50;

describe('Of five thousand clients that are connected', () => {
  let running: TestBroker;
  let fleet: RawClient[];
  before(async () => {
    const users = { fleet: 'f', changed: 'c', removed: 'r' };
    running = await startBroker({ authentication: {} }, { files: { passwords: await passwordFile(users) } });
    fleet = await inTurns(number - 2, atOnce, (index) => login('fleet', index));
  });
  after(async () => {
    for (const client of fleet) client.end();
    await running.stop();
  });

  const login = (username: string, index = 0): Promise<RawClient> =>
    connected(running.port, 5, { username, password: username.charAt(0), clientId: `${username}:${index}` });

  it('those of a user who was changed or removed end, and nobody else notices', async () => {
    const [changed, removed] = [await login('changed'), await login('removed')];
    assert.equal(running.broker.status().connections, number);
    const file = join(running.directory, 'passwords');
    await setPassword(file, 'changed', 'another', { scram: false });
    assert.match(await readPacket(changed), /^e0..87/);
    await removePassword(file, 'removed');
    assert.match(await readPacket(removed), /^e0..98/);
    // Whoever was sent anything else, or was closed, does not answer so.
    await inTurns(fleet.length, atOnce, (index) => ping(fleet[index] as RawClient));
    assert.equal(running.broker.status().events['auth.revoked'], 2);
  });
});
