import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { needs, waitFor } from '@moat/testkit';
import { ping, readPacket, startBroker, type TestBroker } from '../support/broker.js';
import { returnCodeFor, secureProtocols } from '../support/certificate-listener.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { OcspResponder, responderCertificate, stockResponder } from '../support/ocsp-responder.js';
import { OpensslAuthority } from '../support/openssl-authority.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { recordingLog } from '../support/recording-log.js';

const { events, log } = recordingLog(({ event, reason = '' }) => `${event} ${reason}`);

let directory = '';
let root: OpensslAuthority;
let responder: OcspResponder;
/** The certificate names the responder. */
const naming = (url: string): readonly string[] => [
  'extendedKeyUsage = clientAuth',
  `authorityInfoAccess = OCSP;URI:${url}`,
];
const issue = (url = responder.url): ReturnType<OpensslAuthority['issue']> => root.issue({ extensions: naming(url) });

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-ocsp-'));
  root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
  responder = await OcspResponder.start(root);
});
after(async () => {
  responder.stop();
  await rm(directory, { recursive: true });
});

async function start(t: TestContext, ...listeners: readonly object[]): Promise<TestBroker> {
  responder.manner = OcspResponder.honest;
  responder.asked = 0;
  const common = { protocol: 'mqtts', bind: '127.0.0.1', port: 0, cafile: 'clients.crt', ocsp_timeout: 1 };
  const running = await startBroker(
    { listeners: listeners.map((listener) => ({ ...common, ...listener })) as [] },
    {
      prepare: async (where) => {
        await TestAuthority.create(where);
        await writeFile(join(where, 'clients.crt'), root.certificate);
      },
      log,
    },
  );
  t.after(running.stop);
  return running;
}

const codeOf = ({ broker }: TestBroker, identity: ClientIdentity, index = 0): Promise<number> => {
  const { protocol, port } = broker.listeners[index] ?? { protocol: 'mqtts', port: 0 };
  return returnCodeFor(protocol as 'mqtts', port, identity);
};

describe('A listener that asks by OCSP', needs('openssl'), () => {
  it('lets in what is good and refuses what is revoked, over every protocol, and keeps the answers', async (t) => {
    const running = await start(t, ...secureProtocols.map((protocol) => ({ protocol, ocsp: 'hard' })));
    const [good, revoked] = [await issue(), await issue()];
    await root.revoke(revoked);
    for (const index of secureProtocols.keys()) {
      for (const time of [1, 2]) {
        assert.equal(await codeOf(running, good, index), 0, `${time}: ${events.at(-1)}`);
        assert.equal(await codeOf(running, revoked, index), 5);
        assert.match(events.at(-1) ?? '', /CERT_REVOKED, serial/);
      }
    }
    assert.equal(responder.asked, 2 * secureProtocols.length);
  });

  it('is answered by the stock responder of openssl', async (t) => {
    const [good, revoked] = [await root.issue(), await root.issue()];
    await root.revoke(revoked);
    const stock = await stockResponder(root);
    t.after(stock.stop);
    const running = await start(t, { ocsp: 'hard', ocsp_responder: stock.url });
    assert.equal(await codeOf(running, good), 0, events.at(-1));
    assert.equal(await codeOf(running, revoked), 5);
    assert.match(events.at(-1) ?? '', /CERT_REVOKED, serial/);
  });

  it('refuses a certificate that its authority does not know', async (t) => {
    const running = await start(t, { ocsp: 'soft' });
    const stranger = await issue();
    await writeFile(join(root.directory, 'index.txt'), '');
    assert.equal(await codeOf(running, stranger), 5);
    assert.match(events.at(-1) ?? '', /OCSP_UNKNOWN/);
  });

  it('takes the word of a responder that the authority certified, and of no other', async (t) => {
    const intermediate = await root.intermediate('Issuing');
    const other = await OpensslAuthority.root(join(directory, 'other'), 'Root');
    const signers = {
      certified: await responderCertificate(root),
      'another authority’s': await responderCertificate(other),
      'an intermediate authority’s': await responderCertificate(intermediate),
      'a client’s': await root.issue(),
      expired: await root.issue({ extensions: ['extendedKeyUsage = OCSPSigning'], from: -7_200, to: -3_600 }),
    };
    for (const [title, signer] of Object.entries(signers)) {
      const delegated = await OcspResponder.start(root, signer);
      t.after(delegated.stop);
      const running = await start(t, { ocsp: 'hard', ocsp_responder: delegated.url });
      const code = await codeOf(running, await issue());
      assert.equal(delegated.asked, 1);
      assert.equal(code, title === 'certified' ? 0 : 5, title);
      if (code !== 0) assert.match(events.join('\n'), /tls\.ocsp_unanswered .*: nobody signed it who may; serial/);
    }
  });

  it('takes an answer without nextUpdate, without certificates, and without the nonce', async (t) => {
    for (const more of [['-resp_no_certs'], ['-ndays', '1', '-resp_key_id'], []]) {
      const plain = await OcspResponder.start(root, undefined, more);
      t.after(plain.stop);
      const running = await start(t, { ocsp: 'hard', ocsp_responder: plain.url });
      assert.equal(await codeOf(running, await issue()), 0, `${more}: ${events.at(-1)} ${events.at(-2)}`);
    }
  });

  const manners: Record<string, { readonly manner: OcspResponder['manner']; readonly reason: RegExp }> = {
    'says nothing': { manner: () => {}, reason: /no answer: .*(aborted|timeout)/i },
    'redirects to another place': {
      manner: (response) => response.writeHead(302, { location: `${responder.url}/else` }).end(),
      reason: /no answer: unexpected redirect/,
    },
    'answers without end': {
      manner: (response) => {
        response.writeHead(200, { 'content-type': 'application/ocsp-response' });
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        };
        response.on('drain', more);
        more();
      },
      reason: /longer than 65536 bytes/,
    },
    'answers with a page': {
      manner: (response) => OcspResponder.send(response, Buffer.from('<p>'), 'text/html'),
      reason: /of type text\/html/,
    },
    'answers with an error': { manner: (response) => response.writeHead(500).end(), reason: /HTTP status 500/ },
    'has no time': {
      manner: (response) => OcspResponder.send(response, Buffer.from('30030a0103', 'hex')),
      reason: /the responder answers tryLater/,
    },
    'answers with nonsense': {
      manner: (response) => OcspResponder.send(response, Buffer.from('3003')),
      reason: /tag 0x33|ends too early/,
    },
    'has its answer altered': {
      manner: async (response, answer) => {
        const der = await answer();
        const at = der.indexOf(Buffer.from('8000', 'hex')); // good
        der[at] = 0x82; // unknown
        OcspResponder.send(response, der);
      },
      reason: /nobody signed it who may/,
    },
  };
  for (const [title, { manner, reason }] of Object.entries(manners)) {
    it(`whose responder ${title} refuses by hard, and goes on by soft`, async (t) => {
      const running = await start(t, { ocsp: 'hard' }, { bind: '127.0.0.2', ocsp: 'soft' });
      responder.manner = manner;
      const client = await issue();
      events.length = 0;
      assert.equal(await codeOf(running, client), 5);
      assert.match(events.at(-1) ?? '', /OCSP_UNANSWERED/);
      assert.match(events.find((event) => event.startsWith('tls.ocsp_unanswered')) ?? '', reason);
      const { port = 0 } = running.broker.listeners[1] ?? {};
      assert.equal(await returnCodeFor('mqtts', port, client, {}, '127.0.0.2'), 0);
      assert.equal(responder.asked, 2);
      // What failed is not tried again for each client that comes.
      assert.equal(await codeOf(running, client), 5);
      assert.equal(responder.asked, 2);
    });
  }

  it('leaves a responder alone that does not answer, and lets a fleet in by soft', async (t) => {
    const running = await start(t, { ocsp: 'soft' });
    responder.manner = () => {};
    const fleet: ClientIdentity[] = [];
    while (fleet.length < 24) fleet.push(await issue());
    const codes = await Promise.all(fleet.map((client) => codeOf(running, client)));
    assert.deepEqual(new Set(codes), new Set([0]));
    assert.ok(responder.asked <= 16, `${responder.asked} queries`);
    assert.match(events.join('\n'), /it has not answered before; serial/);
    assert.equal(await codeOf(running, await issue()), 0);
    assert.ok(responder.asked <= 16, `${responder.asked} queries`);
  });

  it('does not take an old answer for a new request', async (t) => {
    const running = await start(t, { ocsp: 'hard' });
    const [first, second] = [await issue(), await issue()];
    let kept: Buffer | undefined;
    responder.manner = async (response, answer) => {
      kept ??= await answer();
      OcspResponder.send(response, kept);
    };
    assert.equal(await codeOf(running, first), 0);
    assert.equal(await codeOf(running, second), 5);
    assert.match(events.join('\n'), /it answers another request/);
  });

  it('asks only where it may: no other scheme, no host that is not listed, nobody without a chain', async (t) => {
    const running = await start(
      t,
      { ocsp: 'hard' },
      { bind: '127.0.0.2', ocsp: 'hard', ocsp_hosts: ['ocsp.example.com'] },
    );
    for (const url of ['ldap://127.0.0.1/', 'file:///etc/passwd', 'http://user:word@127.0.0.1/']) {
      assert.equal(await codeOf(running, await issue(url)), 5);
      assert.match(events.at(-2) ?? '', /no responder that can be asked/);
    }
    const { port = 0 } = running.broker.listeners[1] ?? {};
    assert.equal(await returnCodeFor('mqtts', port, await issue(), {}, '127.0.0.2'), 5);
    assert.match(events.at(-2) ?? '', /127\.0\.0\.1, which is not in ocsp_hosts/);
    const other = await OpensslAuthority.root(join(directory, 'strangers'), 'Root');
    assert.equal(await codeOf(running, await other.issue({ extensions: naming(responder.url) })), 5);
    assert.equal(await codeOf(running, await root.issue()), 5);
    assert.match(events.at(-2) ?? '', /names no responder/);
    assert.equal(responder.asked, 0);
  });

  it('holds up nobody else while it waits, and reads no packet before the answer', async (t) => {
    const running = await start(t, { ocsp: 'hard', ocsp_timeout: 30 }, { bind: '127.0.0.2' });
    const release: (() => void)[] = [];
    responder.manner = async (response, answer) => {
      await new Promise<void>((resolve) => release.push(resolve));
      await OcspResponder.honest(response, answer);
    };
    const [waiting, again] = [await issue(), await issue()];
    const { port } = running;
    const clients = await Promise.all(
      [waiting, waiting, again].map((identity) =>
        RawClient.connect(port, { tls: { rejectUnauthorized: false, ...identity } }),
      ),
    );
    for (const client of clients) client.send(`${connectPacket(4)} c000`);
    await waitFor(() => release.length === 2); // two bearers of one certificate wait for one answer
    assert.equal(
      await returnCodeFor('mqtts', running.broker.listeners[1]?.port ?? 0, await root.issue(), {}, '127.0.0.2'),
      0,
    );
    for (const go of release) go();
    for (const client of clients) {
      await client.expect('20020000 d000');
      await ping(client);
      client.end();
    }
    assert.equal(responder.asked, 2);
  });

  it('ends the connection of a certificate when its authority says so later', async (t) => {
    const running = await start(t, { ocsp: 'hard' });
    const [client, other] = [await issue(), await issue()];
    const [ends, stays] = await Promise.all(
      [client, other].map((identity) =>
        RawClient.connect(running.port, { tls: { rejectUnauthorized: false, ...identity } }),
      ),
    );
    assert.ok(ends && stays);
    for (const each of [ends, stays]) {
      each.send(connectPacket(5));
      assert.match(await readPacket(each), /^20..0000/);
    }
    await root.revoke(client);
    const maintenance = running.broker as unknown as { everyMinute(now: number): void };
    maintenance.everyMinute(Date.now() + 60_000); // the answers still hold
    maintenance.everyMinute(Date.now() + 6 * 60_000);
    await ends.expect('e0 01 87');
    await ends.closed();
    assert.ok(events.some((event) => event.startsWith('cert.revoked serial')));
    assert.equal(responder.asked, 4);
    await ping(stays);
    stays.end();
  });
});
