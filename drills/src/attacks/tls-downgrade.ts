import type { ConnectionOptions } from 'node:tls';
import { RawClient } from '@moat/testkit';
import { connectPacket } from '@moat/testkit/packets';
import type { PreparedBroker } from '../broker/broker.js';
import { converse, secureProtocols } from '../converse.js';
import type { Drill, Run } from '../drill.js';

/** Everything that OpenSSL knows, however weak: what refuses is the broker. */
const anything = { ciphers: 'ALL:COMPLEMENTOFALL@SECLEVEL=0' };

const offers: readonly (readonly [title: string, offer: ConnectionOptions])[] = [
  ['TLS 1.0 at most', { ...anything, minVersion: 'TLSv1', maxVersion: 'TLSv1' }],
  ['TLS 1.1 at most', { ...anything, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }],
  ['TLS 1.2 at most, where 1.3 is required', { ...anything, minVersion: 'TLSv1', maxVersion: 'TLSv1.2' }],
  ['ciphers without encryption', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'NULL@SECLEVEL=0' }],
  ['ciphers without a certificate', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'aNULL@SECLEVEL=0' }],
];

async function run({ broker, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const { ports, users } = broker;
  const login = connectPacket(4, { username: 'victim', password: users.victim, clientId: 'old' });
  const all = secureProtocols.flatMap((protocol) => offers.map(([title, offer]) => ({ protocol, title, offer })));
  for (const { protocol, title, offer } of all.slice(0, amount.count)) {
    if (signal.aborted) return;
    const answer = await converse(protocol, ports[protocol], offer, `${login}c000`).catch(() => '');
    const happened = answer === '' ? 'the handshake fails' : `it is answered with ${answer}`;
    report({ tried: `${title}, over ${protocol}`, happened, survived: answer === '' });
  }
  for (const protocol of secureProtocols) {
    const client = await RawClient.connect(ports[protocol]);
    client.send(login);
    const answer = (await client.rest().catch(() => Buffer.alloc(0))).toString('hex');
    const welcome = answer.startsWith('2002');
    const happened = welcome ? 'it is answered' : 'closed';
    report({ tried: `MQTT without TLS on the port of ${protocol}`, happened, survived: !welcome });
  }
  for (const protocol of secureProtocols) {
    const answer = await converse(protocol, ports[protocol], {}, `${login}c000`).catch(() => '');
    const works = answer.startsWith('20020000');
    const happened = works ? 'welcome, as it should be' : 'refused';
    report({ tried: `TLS as it should be, over ${protocol}`, happened, survived: works });
  }
}

const amount = { count: 20, seconds: 60 };

export const tlsDowngrade: Drill = {
  name: 'tls-downgrade',
  summary: 'Offers old TLS, weak ciphers or none at all to listeners that require TLS 1.3',
  seenIn: 'every protocol that negotiates',
  unit: 'handshakes',
  intensity: { small: amount, full: amount },
  cheapPasswords: true,
  neverLockedOut: true,
  needs: 'setup',
  run,
};
