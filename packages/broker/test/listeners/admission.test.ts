import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { freePort, temporaryDirectory, waitFor } from '@moat/testkit';
import { Broker, OperatorError } from '../../dist/index.js';
import { connected, ping, portOf, silent, startBroker, testConfiguration } from '../support/broker.js';
import { RawClient } from '../support/raw-client.js';

/** A port that somebody else listens on. */
async function takenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('A broker that cannot start', () => {
  it('names the port that is in use and what to do, and leaves nothing behind', async (t) => {
    const directory = await temporaryDirectory(t);
    const [free, taken] = [await freePort(), await takenPort(t)];
    const configuration = testConfiguration(directory, {
      listeners: [
        { protocol: 'mqtt', port: free },
        { protocol: 'ws', port: taken },
      ],
    });
    await assert.rejects(Broker.start({ configuration, log: silent }), (error) => {
      assert.ok(error instanceof OperatorError);
      assert.equal(error.code, 'listener.port_in_use');
      assert.equal(error.exitCode, 1);
      assert.match(error.message, new RegExp(`port ${taken} is in use`));
      assert.ok(error.hint);
      return true;
    });
    await assert.rejects(RawClient.connect(free), /ECONNREFUSED/);
    await assert.rejects(access(join(directory, 'admin.sock')), { code: 'ENOENT' });
  });

  it('names the address that is not of this machine', async (t) => {
    const configuration = testConfiguration(await temporaryDirectory(t), {
      listeners: [{ protocol: 'mqtt', bind: '192.0.2.1', port: 0, expose_plaintext: true }],
      authentication: {},
    });
    await assert.rejects(Broker.start({ configuration, log: silent }), { code: 'listener.cannot_bind' });
  });

  it('names the file that it cannot read', async (t) => {
    const configuration = testConfiguration(await temporaryDirectory(t), {
      listeners: [{ protocol: 'mqtts', bind: '127.0.0.1', port: 0 }],
    });
    await assert.rejects(Broker.start({ configuration, log: silent }), {
      code: 'tls.invalid',
      message: /(server\.(crt|key)|ca\.crt)/,
    });
  });
});

describe('A listener with max_connections', () => {
  it('closes what is too much at once, disturbs nobody, and lets in again when somebody has left', async (t) => {
    const { broker, port, stop } = await startBroker({
      listeners: [{ protocol: 'mqtt', port: 0, max_connections: 2 }],
    });
    t.after(stop);
    const [one, two] = [await connected(port, 5), await connected(port, 4)];
    for (let attempt = 0; attempt < 3; attempt++) await (await RawClient.connect(port)).closed();
    assert.equal(broker.status().events['limit.connections'], 3);
    await ping(one);
    two.end();
    await waitFor(() => broker.status().connections === 1);
    const three = await connected(port, 5);
    await ping(three);
    await (await RawClient.connect(port)).closed();
    await ping(one);
    for (const client of [one, three]) client.end();
  });

  it('counts for itself, and the limit of the whole broker for all of them', async (t) => {
    const { broker, stop } = await startBroker({
      listeners: [
        { protocol: 'mqtt', port: 0, max_connections: 2 },
        { protocol: 'mqtt', bind: '127.0.0.2', port: 0 },
        { protocol: 'ws', port: 0 },
      ],
      limits: { max_connections: 3 },
    });
    t.after(stop);
    const port = portOf(broker, 'mqtt');
    const held = [await connected(port, 4), await connected(port, 4)];
    await (await RawClient.connect(port)).closed();
    // One that never says anything counts as well, until somebody else needs its slot.
    const silentOne = await RawClient.connect(portOf(broker, 'ws'));
    await waitFor(() => broker.status().guard.connections === 3);
    held.push(await RawClient.connect(portOf(broker, 'ws')));
    await silentOne.closed();
    assert.equal(broker.status().guard.connections, 3);
    for (const client of held) client.end();
    await waitFor(async () => {
      const client = await RawClient.connect(portOf(broker, 'ws'));
      client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      return client.read(8).then(String);
    });
  });
});
