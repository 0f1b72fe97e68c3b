import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { needs, waitFor } from '@moat/testkit';
import type { ConfigurationInput } from '../../dist/index.js';
import { ping, portOf, readPacket, silent, startBroker, testConfiguration } from '../support/broker.js';
import { returnCodeFor, secureProtocols } from '../support/certificate-listener.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { OpensslAuthority } from '../support/openssl-authority.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { recordingLog } from '../support/recording-log.js';
import { RawWebSocket } from '../support/web-socket.js';

/*
 * Mosquitto #1826, #2597, #2916: lists that ran out, of intermediate authorities, of several authorities.
 */
interface Bearers {
  readonly good: ClientIdentity;
  readonly revoked: ClientIdentity;
  readonly below: ClientIdentity;
  readonly belowRevoked: ClientIdentity;
  /** Of an authority with which the others have nothing to do. */
  readonly unrelated: ClientIdentity;
}
const { events, log } = recordingLog(({ event, reason = '' }) => `${event} ${reason}`);

describe('A revocation list', needs('openssl'), async () => {
  const bearers: Partial<Bearers> = {};
  const directories: Record<string, Readonly<Record<string, string | Buffer>>> = {};
  const prepare = async (directory: string): Promise<void> => {
    await TestAuthority.create(directory);
    const root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
    const forger = await OpensslAuthority.root(join(directory, 'forger'), 'Root');
    const issuing = await root.intermediate('Issuing');
    const other = await OpensslAuthority.root(join(directory, 'other'), 'Other');
    await writeFile(join(directory, 'clients.crt'), root.certificate + other.certificate);
    const [early, earlyBelow] = [await root.list({ from: -300 }), await issuing.list()];
    const [good, revoked] = [await root.issue(), await root.issue()];
    const [below, belowRevoked] = [await issuing.issue(), await issuing.issue()];
    Object.assign(bearers, { good, revoked, below, belowRevoked, unrelated: await other.issue() });
    await root.revoke(revoked);
    await issuing.revoke(belowRevoked);
    const [list, listBelow] = [await root.list(), await issuing.list()];
    const listOfOther = await other.list();
    const der = Buffer.from(list.replace(/-----.*-----|\s/g, ''), 'base64');
    const point = (which: string): string => `issuingDistributionPoint = critical, DER:30038${which}01FF`;
    Object.assign(directories, {
      both: { 'root.crl': list, 'issuing.crl': listBelow },
      der: { 'root.crl': der, 'issuing.crl': listBelow },
      'one file': { 'all.crl': listBelow + list + listOfOther },
      'older beside newer': { 'a.crl': early, 'b.crl': list, 'c.crl': early, 'd.crl': listBelow },
      'root only': { 'root.crl': list },
      none: {},
      forged: { 'root.crl': await forger.list(), 'issuing.crl': listBelow },
      expired: { 'root.crl': await root.list({ from: -7_200, to: -3_600 }), 'issuing.crl': listBelow },
      'from tomorrow': { 'root.crl': await root.list({ from: 86_400, to: 172_800 }), 'issuing.crl': listBelow },
      'for authorities only': { 'root.crl': await root.list({ extensions: point('2') }), 'issuing.crl': earlyBelow },
      'in two by scope': {
        'users.crl': await root.list({ extensions: point('1') }),
        'cas.crl': await root.list({ extensions: point('2') }),
        'issuing.crl': listBelow,
      },
    });
    for (const [name, files] of Object.entries(directories)) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, '.draft'), 'half a list');
      if (name !== 'none') await writeFile(join(directory, name, 'other.crl'), listOfOther);
      for (const [file, content] of Object.entries(files)) await writeFile(join(directory, name, file), content);
    }
  };

  /** By listener: where its lists are, the rule, and the return codes for good, revoked, both below, and unrelated. */
  const cases: readonly (readonly [lists: string, rule: 'refuse' | 'warn', codes: readonly number[]])[] = [
    ['both', 'refuse', [0, 5, 0, 5, 0]],
    ['der', 'refuse', [0, 5, 0, 5, 0]],
    ['one file', 'refuse', [0, 5, 0, 5, 0]],
    ['older beside newer', 'refuse', [0, 5, 0, 5, 0]],
    ['root only', 'warn', [0, 5, 5, 5, 0]],
    ['none', 'warn', [5, 5, 5, 5, 5]],
    ['forged', 'warn', [5, 5, 5, 5, 0]],
    ['expired', 'refuse', [5, 5, 5, 5, 0]],
    ['expired', 'warn', [0, 5, 0, 5, 0]],
    ['from tomorrow', 'warn', [5, 5, 5, 5, 0]],
    ['for authorities only', 'refuse', [5, 5, 0, 0, 0]],
    ['in two by scope', 'refuse', [0, 5, 0, 5, 0]],
  ];
  const listeners = secureProtocols.flatMap((protocol) =>
    cases.map(([lists, crl_expired], index) => {
      const where = lists === 'one file' ? { crlfile: 'one file/all.crl' } : { crlpath: lists };
      return { protocol, bind: `127.0.0.${index + 1}`, port: 0, cafile: 'clients.crt', crl_expired, ...where };
    }),
  );
  const { broker, stop } = await startBroker({ listeners }, { prepare, log });
  after(stop);

  for (const [index, { protocol }] of listeners.entries()) {
    const [lists, rule, codes] = cases[index % cases.length] as (typeof cases)[number];
    it(`that is ${lists}, with the rule ${rule}, over ${protocol}`, async () => {
      const { port = 0, address = '' } = broker.listeners[index] ?? {};
      const answers: number[] = [];
      for (const who of ['good', 'revoked', 'below', 'belowRevoked', 'unrelated'] as const)
        answers.push(await returnCodeFor(protocol, port, bearers[who], {}, address));
      assert.deepEqual(answers, codes, events.slice(-4).join('\n'));
    });
  }

  it('that has run out is told of once, with its authority', () => {
    const told = events.filter((event) => event.startsWith('tls.crl_expired'));
    assert.equal(told.length, 4, told.join('\n')); // by four listeners, when they were opened
    assert.match(told[0] ?? '', /the list of CN=Root ran out on 20/);
  });
});

describe('A reload', needs('openssl'), () => {
  it('ends the connections of a revoked certificate and of an authority that was removed, and no other', async (t) => {
    const bearers: ClientIdentity[] = [];
    const authorities: OpensslAuthority[] = [];
    let where = '';
    const write = async (trusted: readonly OpensslAuthority[]): Promise<void> => {
      const lists = await Promise.all(trusted.map((authority) => authority.list()));
      await writeFile(join(where, 'clients.crt'), trusted.map(({ certificate }) => certificate).join(''));
      await writeFile(join(where, 'clients.crl'), lists.join(''));
    };
    const prepare = async (directory: string): Promise<void> => {
      where = directory;
      await TestAuthority.create(directory);
      for (const name of ['ours', 'theirs']) authorities.push(await OpensslAuthority.root(join(directory, name), name));
      const [ours, theirs] = authorities as [OpensslAuthority, OpensslAuthority];
      bearers.push(await ours.issue(), await ours.issue(), await theirs.issue());
      await write(authorities);
    };
    const input: ConfigurationInput = {
      listeners: (['mqtts', 'wss'] as const).map((protocol) => ({
        protocol,
        bind: '127.0.0.1',
        port: 0,
        cafile: 'clients.crt',
        crlfile: 'clients.crl',
      })),
    };
    const { broker, directory, stop } = await startBroker(input, { prepare, log });
    t.after(stop);
    const tls: RawClient[] = [];
    const webSockets: RawWebSocket[] = [];
    for (const bearer of [...bearers, undefined]) {
      const options = { rejectUnauthorized: false, ...bearer };
      const client = await RawClient.connect(portOf(broker, 'mqtts'), { tls: options });
      client.send(connectPacket(5));
      assert.match(await readPacket(client), /^20..0000/);
      tls.push(client);
      const webSocket = await RawWebSocket.connect(portOf(broker, 'wss'), { secure: true, ...options });
      webSocket.send(connectPacket(4));
      assert.equal(await webSocket.read(4), '20020000');
      webSockets.push(webSocket);
    }
    const alive = async (indexes: readonly number[]): Promise<void> => {
      for (const index of indexes) {
        await ping(tls[index] as RawClient);
        webSockets[index]?.send('c000');
        assert.equal(await webSockets[index]?.read(2), 'd000');
      }
    };
    const ended = async (index: number, event: string): Promise<void> => {
      await tls[index]?.expect('e0 01 87');
      await tls[index]?.closed();
      await webSockets[index]?.closed;
      await waitFor(() => events.filter((each) => each.startsWith(event)).length === 2);
    };

    await authorities[0]?.revoke(bearers[0] as ClientIdentity & { file: string });
    await write(authorities);
    await broker.reload(testConfiguration(directory, input));
    await ended(0, 'cert.revoked serial ');
    await alive([1, 2, 3]);

    await write(authorities.slice(0, 1));
    await broker.reload(testConfiguration(directory, input));
    await ended(2, 'cert.untrusted serial ');
    await alive([1, 3]);

    await rm(join(where, 'clients.crl')); // what is in force stays in force
    await assert.rejects(broker.reload(testConfiguration(directory, input)), /cannot read crlfile/);
    assert.equal(await returnCodeFor('mqtts', portOf(broker, 'mqtts'), bearers[0]), 5);
    await alive([1, 3]);
    for (const client of [...tls, ...webSockets]) client.end();
  });
});

describe('A file that changes', needs('openssl'), () => {
  it('is put in force on every listener without a signal, each for itself', async (t) => {
    let root: OpensslAuthority | undefined;
    let pki: TestAuthority | undefined;
    const prepare = async (directory: string): Promise<void> => {
      pki = await TestAuthority.create(directory);
      root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
      await writeFile(join(directory, 'clients.crt'), root.certificate);
      await mkdir(join(directory, 'lists'));
      await writeFile(join(directory, 'lists', 'root.crl'), await root.list());
    };
    const files = { cafile: 'clients.crt', crlpath: 'lists', bind: '127.0.0.1', port: 0 };
    const listeners = secureProtocols.map((protocol) => ({ protocol, ...files }));
    const errors: string[] = [];
    const { broker, port, directory, stop } = await startBroker(
      { listeners },
      { prepare, log: { ...silent, error: (fields: unknown) => errors.push((fields as { reason: string }).reason) } },
    );
    t.after(stop);
    assert.ok(root && pki);
    const [revoked, good] = [await root.issue(), await root.issue()];
    const [ends, stays] = await Promise.all(
      [revoked, good].map((identity) => RawClient.connect(port, { tls: { rejectUnauthorized: false, ...identity } })),
    );
    assert.ok(ends && stays);
    for (const client of [ends, stays]) {
      client.send(connectPacket(5));
      assert.match(await readPacket(client), /^20..0000/);
    }
    const replace = async (name: string, content: string): Promise<void> => {
      await writeFile(join(directory, '.draft'), content);
      await rename(join(directory, '.draft'), join(directory, name));
    };
    // A certificate of the server that cannot be used does not keep a revocation back.
    const serverCertificate = await readFile(join(directory, 'pki/server.crt'), 'utf8');
    await replace('pki/server.crt', 'none');
    await root.revoke(revoked);
    await replace('lists/root.crl', await root.list());
    await ends.expect('e0 01 87');
    await ends.closed();
    for (const protocol of secureProtocols) {
      const code = async (identity: ClientIdentity): Promise<number> =>
        returnCodeFor(protocol, portOf(broker, protocol), identity);
      assert.equal(await code(revoked), 5);
      assert.equal(await code(good), 0);
    }
    await waitFor(() => errors.some((error) => /server\.crt:1:1: is not a certificate/.test(error)));

    const before = (stays.socket as TLSSocket).getPeerCertificate().serialNumber;
    await replace('pki/server.crt', serverCertificate);
    await pki.renewServer();
    for (;;) {
      const client = await RawClient.connect(port, { tls: { ca: pki.ca } });
      const { serialNumber } = (client.socket as TLSSocket).getPeerCertificate();
      client.end();
      if (serialNumber !== before) break;
    }
    await ping(stays);
    stays.end();
  });
});

it('A certificate that runs out ends its connection then', needs('openssl'), async (t) => {
  let bearer: ClientIdentity | undefined;
  const prepare = async (directory: string): Promise<void> => {
    await TestAuthority.create(directory);
    const root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
    await writeFile(join(directory, 'clients.crt'), root.certificate);
    bearer = await root.issue({ to: 3 });
  };
  const listeners = [{ protocol: 'mqtts' as const, bind: '127.0.0.1', port: 0, cafile: 'clients.crt' }];
  const { port, stop } = await startBroker({ listeners }, { prepare, log });
  t.after(stop);
  const client = await RawClient.connect(port, { tls: { rejectUnauthorized: false, ...bearer } });
  client.send(connectPacket(5));
  assert.match(await readPacket(client), /^20..0000/);
  await client.expect('e0 01 87');
  await client.closed();
  assert.ok(events.some((event) => event.startsWith('cert.expired serial')));
});
