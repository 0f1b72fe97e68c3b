import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { connectAsync } from 'mqtt';
import { startBroker } from '../support/broker.js';
import { passwordFile } from '../support/passwords.js';

const sources = join(import.meta.dirname, '../../src');

describe('The broker', () => {
  it('calls no other server, so that it need not conform as a client [MQTT3-7.0.0-1]', async () => {
    const files = await readdir(sources, { recursive: true });
    const outgoing =
      /\b(createConnection|net\.connect|tls\.connect|http\.request|fetch)\(|new WebSocket\(|\bconnect\b.*from 'node:(net|tls)'/;
    const calling = [];
    // The admin interface looks whether its own socket is taken, and OCSP is asked by HTTP; no byte of MQTT goes there.
    const others = ['admin/http.ts', 'identity/ocsp-query.ts'];
    for (const file of files.filter((name) => name.endsWith('.ts') && !others.includes(name)))
      if (outgoing.test(await readFile(join(sources, file), 'utf8'))) calling.push(file);
    assert.deepEqual(calling, []);
  });

  it('asks of a client nothing that the standard has not: user name and password will do [MQTT3-7.0.0-2]', async () => {
    const passwords = await passwordFile({ user: 'secret' });
    const { port, stop } = await startBroker({ authentication: {} }, { files: { passwords } });
    after(stop);
    for (const protocolVersion of [4, 5] as const) {
      const options = { username: 'user', password: 'secret', protocolVersion, reconnectPeriod: 0 };
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, options);
      const arrived = new Promise((resolve) =>
        client.once('message', (_topic, payload) => resolve(payload.toString())),
      );
      await client.subscribeAsync('stock/client', { qos: 2 });
      await client.publishAsync('stock/client', 'hello', { qos: 2 });
      assert.equal(await arrived, 'hello');
      await client.endAsync();
    }
  });
});
