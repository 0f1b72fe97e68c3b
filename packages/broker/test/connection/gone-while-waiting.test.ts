import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inTurns, waitFor } from '@moat/testkit';
import { hash } from '@node-rs/argon2';
import { connected, startBroker } from '../support/broker.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/** That takes as long as one of a real file. */
const costly = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const settings = { authentication: { allow_anonymous: false, password_file: 'passwords' } };

describe('A client that goes while its password waits to be checked', () => {
  it('makes room at once, and nobody works for it', async (t) => {
    const passwords = `anna:${await hash('pw', costly)}\n`;
    const limits = { max_password_checks: 1 };
    const { broker, port, stop } = await startBroker({ ...settings, limits }, { files: { passwords } });
    t.after(stop);
    const guesses = 200;
    await inTurns(guesses, 50, async () => {
      const client = await RawClient.connect(port);
      client.send(connectPacket(4, { username: 'anna', password: 'guess' }));
      client.socket.resetAndDestroy();
    });
    await waitFor(() => broker.status().guard.connections === 0);
    assert.ok((broker.status().events['auth.failed'] ?? 0) < guesses / 2);
    const anna = await connected(port, 4, { username: 'anna', password: 'pw' });
    anna.end();
  });

  it('has guessed all the same once it is checked', async (t) => {
    const passwords = `anna:${await hash('pw', costly)}\n`;
    const { broker, port, stop } = await startBroker(settings, { files: { passwords } });
    t.after(stop);
    const client = await RawClient.connect(port);
    client.send(connectPacket(4, { username: 'anna', password: 'guess' }));
    await waitFor(() => broker.status().traffic.bytesReceived > 0);
    client.socket.resetAndDestroy();
    await waitFor(() => broker.status().guard.connections === 0);
    await waitFor(() => broker.status().events['auth.failed'] === 1);
  });

  it('is served to the end of what it has sent: who closes its side behind DISCONNECT has published', async (t) => {
    const passwords = `anna:${await hash('pw', costly)}\n`;
    const { broker, port, stop } = await startBroker(settings, { files: { passwords } });
    t.after(stop);
    const client = await RawClient.connect(port);
    client.send(`${connectPacket(4, { username: 'anna', password: 'pw' })}3003000161e000`);
    client.socket.end();
    await waitFor(() => broker.status().traffic.messagesReceived === 1);
  });
});
