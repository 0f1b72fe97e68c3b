import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hash } from '@node-rs/argon2';
import { readPacket, startBroker } from '../support/broker.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/** Server busy: who is told that he is not authorized may never come again. */
const busy = '89';
/** So costly that all of a test's clients ask before the first check is over. */
const costly = { memoryCost: 65_536, timeCost: 8, parallelism: 1 };

describe('Passwords that wait to be checked', () => {
  for (const waiting of [0, 2])
    it(`are ${waiting} at most where it is so configured: the next client is told that the server is busy`, async (t) => {
      const passwords = `anna:${await hash('pw', costly)}\n`;
      const limits = { max_password_checks: 1, max_waiting_password_checks: waiting };
      const { broker, port, stop } = await startBroker(
        { authentication: { password_file: 'passwords' }, limits },
        { files: { passwords } },
      );
      t.after(stop);
      const clients: RawClient[] = [];
      for (let index = 0; index < waiting + 2; index++) clients.push(await RawClient.connect(port));
      clients.forEach((client, index) => {
        client.send(connectPacket(5, { clientId: `${index}`, username: 'anna', password: 'pw' }));
      });
      const codes = await Promise.all(clients.map(async (client) => (await readPacket(client)).slice(6, 8)));
      assert.deepEqual(codes.sort(), [...Array<string>(waiting + 1).fill('00'), busy]);
      assert.equal(broker.status().events['auth.failed'], 1);
      for (const client of clients) client.end();
    });
});
