import assert from 'node:assert/strict';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { createSecureContext, type SecureContext } from 'node:tls';
import {
  type Authority,
  createAuthority,
  describeCertificate,
  type IssuedCertificate,
  issueDeviceCertificate,
  openAuthority,
  signRevocationList,
} from '@moat/pki';
import { inTurns, RawClient, readPacket, waitFor } from '@moat/testkit';
import { connectPacket, publish, subscribe } from '@moat/testkit/packets';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const number = 5_000;
/** Who is to be thrown out, one after the other. */
const outcasts = ['revoked', 'listed', 'foreign'] as const;
type Outcast = (typeof outcasts)[number];
/** Others share out these certificates, and have a client ID each. */
const certificates = 20;
const atOnce = 100;
/** Others may keep the machine busy. */
const timeout = 60_000;

const configuration = `listeners:
  - protocol: mqtts
    bind: 127.0.0.1
    port: 0
    require_certificate: true
    use_identity_as_username: cn
    cafile: authorities.crt
    crlfile: pki/ca.crl
    crlpath: lists
limits: { profile: off }
`;

const cwd = await temporaryDirectory();
const data = join(cwd, 'moat-data');
const now = new Date();

describe(`Of ${number} devices that are connected`, () => {
  let broker: RunningBroker;
  let port: number;
  let ours: string;
  let other: Authority;
  let issued: Record<Outcast, IssuedCertificate>;
  const contexts: SecureContext[] = [];
  const fleet: RawClient[] = [];
  const cast = {} as Record<Outcast, RawClient>;

  before(async () => {
    await moat(['init'], { cwd });
    await mkdir(join(data, 'lists'));
    const store = await openAuthority(join(data, 'pki'));
    ours = store.trusted;
    other = await createAuthority({ now });
    await put('authorities.crt', `${ours}${other.certificate}`);
    await put('lists/other.crl', listWith([], 1));
    const issue = (name: string) => store.issueDevice({ name, days: 1, now });
    for (let index = 0; index < certificates; index++) contexts.push(contextOf(await issue(`pump-${index}`)));
    issued = {
      revoked: await issue('revoked'),
      listed: await strangerCalled('listed'),
      foreign: await strangerCalled('foreign'),
    };
  });
  after(async () => {
    for (const client of fleet) client.end();
    await broker.stop();
  });

  const strangerCalled = (name: string) => issueDeviceCertificate(other, { name, days: 1, now });

  async function connected(secureContext: SecureContext, clientId: string): Promise<RawClient> {
    const client = await RawClient.connect(port, { tls: { secureContext, rejectUnauthorized: false }, timeout });
    client.send(connectPacket(5, { clientId, keepAlive: 600 }));
    assert.match(await readPacket(client), /^20..0000/);
    return client;
  }

  /** A list of the other authority, with 500 that nobody here bears. */
  function listWith(serialNumbers: readonly string[], number: number): string {
    const more = Array.from({ length: 500 }, (_, index) => (0x4000_0000 + index).toString(16));
    const revoked = [...more, ...serialNumbers].map(
      (serialNumber) => ({ serialNumber, revokedAt: now, reason: 'keyCompromise' }) as const,
    );
    return signRevocationList(other, revoked, { now, nextUpdate: new Date(now.getTime() + 3_600_000), number });
  }

  /** Does what throws one out, and sees it go with DISCONNECT 0x87 while nobody else does. */
  async function throwsOut(t: TestContext, name: Outcast, event: string, cause: () => Promise<void>): Promise<void> {
    const gone = cast[name].rest();
    await cause();
    const caused = Date.now();
    assert.match((await gone).toString('hex'), /^e0..87/);
    const ends = () => broker.log.filter(({ msg }) => msg === 'cert.revoked' || msg === 'cert.untrusted');
    await waitFor(() => ends().length > outcasts.indexOf(name), { timeout });
    assert.equal(ends().length, outcasts.indexOf(name) + 1);
    assert.equal(ends().at(-1)?.msg, event);
    t.diagnostic(`${name}: ended ${(ends().at(-1)?.time ?? 0) - caused} ms after its cause`);
  }

  test('those who will have to go connect first', async () => {
    broker = await RunningBroker.start(cwd, configuration);
    port = await broker.port('mqtts');
    for (const name of outcasts) cast[name] = await connected(contextOf(issued[name]), name);
  });

  // A thousand at a time, so that whoever watches sees that it goes on.
  for (let from = 0; from < number; from += 1_000)
    test(`the next thousand behind ${from} connect, and subscribe`, async () => {
      const count = Math.min(1_000, number - outcasts.length - from);
      const next = await inTurns(count, atOnce, async (offset) => {
        const index = from + offset;
        const name = `pump-${index % certificates}`;
        const client = await connected(contexts[index % certificates] as SecureContext, `${name}:${index}`);
        client.send(subscribe(5, 1, { [`devices/${name}/all`]: 0 }));
        assert.equal(await readPacket(client), '900400010000');
        return client;
      });
      fleet.push(...next);
    });

  test('the one that moat device revoke names has ended when the command has', async (t) => {
    await throwsOut(t, 'revoked', 'cert.revoked', async () => {
      const { stdout, stderr, code } = await moat(['device', 'revoke', 'revoked'], { cwd });
      assert.deepEqual(
        { stdout, code },
        { stdout: 'revoked 1 certificate of revoked\nended 1 connection\n', code: 0 },
        stderr,
      );
    });
  });

  test('the one that a newer list of its authority names ends', async (t) => {
    const { serialNumber } = describeCertificate(issued.listed.certificate);
    await throwsOut(t, 'listed', 'cert.revoked', () => put('lists/other.crl', listWith([serialNumber], 2)));
  });

  test('the one whose authority is trusted no more ends', async (t) => {
    await throwsOut(t, 'foreign', 'cert.untrusted', () => put('authorities.crt', ours));
  });

  test('all others are the same connections as before, and each still gets a message', async () => {
    const { stdout } = await moat(['status', '--json'], { cwd });
    const { connections, events } = JSON.parse(stdout);
    assert.equal(connections, fleet.length);
    assert.equal(events['client.connected'], number);
    for (let index = 0; index < certificates; index++)
      fleet[index]?.send(publish(5, `devices/pump-${index}/all`, 'still here'));
    await inTurns(fleet.length, atOnce, async (index) => {
      const message = publish(5, `devices/pump-${index % certificates}/all`, 'still here');
      assert.equal(await readPacket(fleet[index] as RawClient), message);
    });
  });
});

/** In place of what is there: nobody reads half of it. */
async function put(file: string, content: string): Promise<void> {
  await writeFile(join(data, '.draft'), content);
  await rename(join(data, '.draft'), join(data, file));
}

function contextOf({ certificate, privateKey }: IssuedCertificate): SecureContext {
  return createSecureContext({ cert: certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
}
