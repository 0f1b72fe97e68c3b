import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { portOf, startBroker } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

/** Malformed: what is sent a DISCONNECT and an end. */
const wrong = `${connectPacket(5)}c00100`;

const { broker, stop } = await startBroker(
  {
    listeners: (['mqtt', 'mqtts', 'ws', 'wss'] as const).map((protocol) => ({ protocol, bind: '127.0.0.1', port: 0 })),
  },
  { prepare: TestAuthority.create },
);
after(stop);

const secure = { rejectUnauthorized: false };

/** Of each transport a client that reads nothing and closes nothing. */
const come = {
  mqtt: () => RawClient.connect(portOf(broker, 'mqtt')),
  mqtts: () => RawClient.connect(portOf(broker, 'mqtts'), { tls: secure }),
  ws: () => RawWebSocket.connect(portOf(broker, 'ws')),
  wss: () => RawWebSocket.connect(portOf(broker, 'wss'), { secure: true, ...secure }),
};

describe('A client that is sent away and does not go', () => {
  it('keeps its place for seconds, over every transport', async (t) => {
    const clients = await Promise.all(Object.values(come).map((connect) => connect()));
    t.after(() => {
      for (const client of clients) client.end();
    });
    for (const client of clients) {
      client.socket.pause();
      client.send(wrong);
    }
    await waitFor(() => broker.status().connections === 0);
    assert.equal(broker.status().guard.connections, clients.length);
    await waitFor(() => broker.status().guard.connections === 0, { timeout: 20_000 });
  });
});
