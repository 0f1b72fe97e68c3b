import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { inTurns, waitFor } from '@moat/testkit';
import { collectYoungGarbage } from '../../dist/collect-garbage.js';
import { Connection } from '../../dist/connection/connection.js';
import { acceptedSocket } from '../../dist/transport/sources.js';
import { portOf, startBroker } from '../support/broker.js';
import { returnCodeFor } from '../support/certificate-listener.js';
import { TestAuthority } from '../support/certificates.js';
import { GarbageWatch } from '../support/garbage-watch.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

const protocols = ['mqtt', 'mqtts', 'ws', 'wss'] as const;
const listeners = protocols.map((protocol) => ({ protocol, bind: '127.0.0.1', port: 0 }));
const { broker, stop } = await startBroker({ listeners }, { prepare: (directory) => TestAuthority.create(directory) });
after(stop);

const comeAndGo: Record<(typeof protocols)[number], (port: number) => Promise<unknown>> = {
  async mqtt(port) {
    const client = await RawClient.connect(port);
    client.send(`${connectPacket(4)}e000`);
    await client.expect('20020000');
    await client.closed();
  },
  mqtts: (port) => returnCodeFor('mqtts', port, undefined),
  async ws(port) {
    const client = await RawWebSocket.connect(port);
    client.send(`${connectPacket(4)}e000`);
    await client.closed;
  },
  wss: (port) => returnCodeFor('wss', port, undefined),
};

describe('A connection that has gone, and below it what was accepted', () => {
  for (const protocol of protocols) {
    it(`are collected with the young, however many come and go over ${protocol}`, async (t) => {
      const watch = new GarbageWatch();
      const { serve } = Connection.prototype;
      // Not by a mock, which remembers whom it was called for.
      Connection.prototype.serve = function (agreement) {
        watch.add(this);
        const { tls } = this.wire.origin;
        // What Node.js itself makes for HTTP stays, and a WebSocket with it.
        if (protocol.startsWith('mqtt')) watch.add(this.wire);
        if (protocol === 'mqtts' && tls !== undefined) watch.add(acceptedSocket(tls));
        serve.call(this, agreement);
      };
      t.after(() => {
        Connection.prototype.serve = serve;
        watch.end();
      });
      const port = portOf(broker, protocol);
      for (let crowds = 0; crowds < 30; crowds++) {
        await inTurns(20, 10, () => comeAndGo[protocol](port));
        await waitFor(() => broker.status().guard.connections === 0);
        await turn();
        collectYoungGarbage();
        await turn();
      }
      assert.equal(watch.watched, { mqtt: 1_200, mqtts: 1_800, ws: 600, wss: 600 }[protocol]);
      assert.ok(watch.left < watch.watched / 10, `${watch.left} of ${watch.watched} are kept`);
    });
  }
});
