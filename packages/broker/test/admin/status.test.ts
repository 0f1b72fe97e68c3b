import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { freePort, temporaryDirectory } from '@moat/testkit';
import { AdminServer } from '../../dist/admin/http.js';
import type { AdminRoute } from '../../dist/admin/route.js';
import { OperatorError } from '../../dist/errors.js';
import { Broker } from '../../dist/index.js';
import { connected, ping, readPacket, silent, startBroker, testConfiguration } from '../support/broker.js';
import { publish, subscribe } from '../support/packets.js';

async function get(options: object, path = '/status'): Promise<{ code: number; body: unknown }> {
  const [response] = await once(request({ ...options, path }).end(), 'response');
  return { code: response.statusCode, body: await json(response) };
}

describe('/status', () => {
  it('tells over the admin socket what the broker does', async (t) => {
    const { broker, port, directory, stop } = await startBroker();
    t.after(stop);
    const client = await connected(port, 5, { clientId: 'kept', properties: '11 0000003c' });
    client.send(subscribe(5, 1, { 'a/#': 0, b: 0 }));
    await readPacket(client);
    client.send(publish(5, 'a/b', 'kept', { retain: true }));
    assert.equal(await readPacket(client), publish(5, 'a/b', 'kept'));
    const socketPath = join(directory, 'admin.sock');
    const { code, body } = await get({ socketPath });
    assert.equal(code, 200);
    const status = body as ReturnType<typeof broker.status>;
    assert.equal(status.pid, process.pid);
    assert.equal(status.connections, 1);
    assert.equal(status.connectionsMaximum, 1);
    assert.equal(status.sessions, 1);
    assert.equal(status.subscriptions, 2);
    assert.equal(status.retained.messages, 1);
    assert.equal(status.traffic.messagesReceived, 1);
    assert.equal(status.traffic.messagesSent, 1);
    assert.deepEqual(status.listeners, [{ protocol: 'mqtt', address: '127.0.0.1', port }]);
    client.send('e000');
    await client.closed();
    const later = (await get({ socketPath })).body as typeof status;
    assert.deepEqual([later.connections, later.sessions, later.sessionsDisconnected], [0, 1, 1]);
    assert.equal(later.connectionsMaximum, 1);
  });

  it('is for the owner of the socket alone, and the socket goes with the broker', async () => {
    const { directory, stop } = await startBroker({}, { files: { 'admin.sock': 'left behind' } });
    const socketPath = join(directory, 'admin.sock');
    assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
    assert.equal((await get({ socketPath }, '/nothing')).code, 404);
    await stop();
    await assert.rejects(access(socketPath), { code: 'ENOENT' });
  });

  it('is on a loopback address too where the operator wants that', async (t) => {
    const admin = await freePort();
    const { port, stop } = await startBroker({ admin: { http: `127.0.0.1:${admin}` } });
    t.after(stop);
    assert.equal((await get({ host: '127.0.0.1', port: admin })).code, 200);
    const client = await connected(port, 4);
    await ping(client);
    client.end();
  });
});

describe('the admin interface', () => {
  it('refuses what is no request, and a second broker beside it', async (t) => {
    const { directory, stop } = await startBroker();
    t.after(stop);
    const socketPath = join(directory, 'admin.sock');
    const headers = { 'content-type': 'application/json' };
    const call = request({ socketPath, method: 'POST', path: '/bans', headers }).end('{');
    const [response] = await once(call, 'response');
    assert.equal(response.statusCode, 400);
    assert.equal(((await json(response)) as { code: string }).code, 'admin.invalid');
    const second = Broker.start({ configuration: testConfiguration(directory), log: silent });
    await assert.rejects(second, /cannot open the admin interface: another broker runs on this data directory/);
    assert.equal((await get({ socketPath })).code, 200);
  });

  it('keeps from the loopback port what only the owner may ask, and tells why it refuses', async (t) => {
    const socketPath = join(await temporaryDirectory(t), 'admin.sock');
    const admin = await freePort();
    const routes = [
      { method: 'GET', path: '/open/:name', open: true, handle: ({ params }) => params },
      { method: 'GET', path: '/closed', handle: ({ query }) => query },
      { method: 'GET', path: '/none', open: true, handle: () => undefined },
      {
        method: 'GET',
        path: '/refused',
        handle: () => {
          throw new OperatorError('store.in_use', 'the store is in use', { hint: 'wait' });
        },
      },
    ] satisfies AdminRoute[];
    const server = await AdminServer.start({ socket: socketPath, http: { host: '127.0.0.1', port: admin } }, routes);
    t.after(() => server.stop());
    const tcp = { host: '127.0.0.1', port: admin };
    assert.deepEqual(await get(tcp, '/open/a%2Fb'), { code: 200, body: { name: 'a/b' } });
    assert.equal((await get(tcp, '/closed')).code, 404);
    assert.deepEqual(await get({ socketPath }, '/closed?x=1'), { code: 200, body: { x: '1' } });
    assert.equal((await get({ socketPath }, '/none')).code, 404);
    assert.deepEqual(await get({ socketPath }, '/refused'), {
      code: 409,
      body: { error: 'the store is in use', code: 'store.in_use', hint: 'wait' },
    });
  });
});
