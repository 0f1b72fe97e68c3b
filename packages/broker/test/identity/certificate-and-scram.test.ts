import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { portOf, readPacket, startBroker } from '../support/broker.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { connectPacket, group, packet, text } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';
import { cheapVerifiers, ScramClient } from '../support/scram.js';

const name = 'SCRAM-SHA-256';
const hash = (await passwordFile({ alice: 'wonderland' })).trimEnd();
const passwords = `${hash}${await cheapVerifiers('wonderland')}\n`;
const devices = new Map<string, ClientIdentity>();

const { broker, stop } = await startBroker(
  {
    listeners: [{ protocol: 'mqtts', bind: '127.0.0.1', port: 0, use_identity_as_username: 'cn', authenticate: 'all' }],
    authentication: {},
  },
  {
    files: { passwords },
    prepare: async (directory) => {
      const authority = await TestAuthority.create(directory);
      for (const device of ['alice', 'bob']) devices.set(device, await authority.device(device));
    },
  },
);
after(stop);

const properties = (data: string): string => `15${text(name)}16${text(data)}`;

/** The reason code of CONNACK for who knows the password of alice, or not, and shows the certificate of somebody. */
async function codeFor(bearer: string | undefined, password: string): Promise<string> {
  const identity = bearer === undefined ? {} : devices.get(bearer);
  const client = await RawClient.connect(portOf(broker), { tls: { rejectUnauthorized: false, ...identity } });
  const scram = new ScramClient(name, 'alice', password);
  client.send(connectPacket(5, { properties: properties(scram.first) }));
  const challenge = await readPacket(client);
  const [, data = ''] = challenge.split(`15${text(name)}16`);
  const said = Buffer.from(data.slice(4), 'hex').toString();
  client.send(packet('f0', '18', group(properties(scram.final(said)))));
  const answer = await readPacket(client);
  client.end();
  return answer.slice(6, 8);
}

describe('A listener that asks for a certificate and a password', () => {
  it('takes the password by SCRAM, and neither of them alone or of another', async () => {
    assert.equal(await codeFor('alice', 'wonderland'), '00');
    assert.equal(await codeFor('alice', 'looking-glass'), '87');
    assert.equal(await codeFor('bob', 'wonderland'), '87');
    assert.equal(await codeFor(undefined, 'wonderland'), '87');
  });
});
