import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { needs, run, waitFor } from '@moat/testkit';
import { OcspStaple, withIssuer } from '../../dist/identity/ocsp-staple.js';
import { portOf, startBroker, type TestBroker, testConfiguration } from '../support/broker.js';
import { secureProtocols } from '../support/certificate-listener.js';
import { OcspResponder } from '../support/ocsp-responder.js';
import { OpensslAuthority } from '../support/openssl-authority.js';

let directory = '';
let issuing: OpensslAuthority;
let responder: OcspResponder;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-stapling-'));
  const root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
  issuing = await root.intermediate('Issuing');
  responder = await OcspResponder.start(issuing);
});
after(async () => {
  responder.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

const files = { certfile: 'server.crt', keyfile: 'server.key', cafile: 'root.crt', bind: '127.0.0.1', port: 0 };

/** A broker whose certificate, from the issuing authority, names the responder. */
async function start(t: TestContext, options: object): Promise<{ running: TestBroker; file: string; input: object }> {
  responder.manner = OcspResponder.honest;
  responder.asked = 0;
  const extensions = [
    'extendedKeyUsage = serverAuth',
    'subjectAltName = IP:127.0.0.1',
    `authorityInfoAccess = OCSP;URI:${responder.url}`,
  ];
  const { cert, key, file } = await issuing.issue({ subject: '/CN=broker', extensions });
  const input = { listeners: secureProtocols.map((protocol) => ({ protocol, ...files, ...options })) };
  const prepare = async (where: string): Promise<void> => {
    await writeFile(join(where, 'server.crt'), cert);
    await writeFile(join(where, 'server.key'), key);
    await copyFile(join(directory, 'root', 'ca.crt'), join(where, 'root.crt'));
    await makeAnswer(file, join(where, 'answer.der'));
  };
  const running = await startBroker(input as object, { prepare });
  t.after(running.stop);
  return { running, file, input };
}

/** What another program would fetch. */
async function makeAnswer(file: string, out: string, more: readonly string[] = ['-ndays', '1']): Promise<void> {
  const ca = join(issuing.directory, 'ca.crt');
  const request = ['-issuer', ca, '-cert', file, '-no_nonce', '-reqout', `${out}.request`];
  assert.equal((await run('openssl', ['ocsp', ...request])).code, 0);
  const signer = [
    '-index',
    join(issuing.directory, 'index.txt'),
    '-CA',
    ca,
    '-rsigner',
    ca,
    '-rkey',
    join(issuing.directory, 'ca.key'),
  ];
  assert.equal(
    (await run('openssl', ['ocsp', ...signer, '-reqin', `${out}.request`, '-respout', out, ...more])).code,
    0,
  );
}

/** What openssl says of the handshake. */
async function handshake(
  { broker, directory: where }: TestBroker,
  protocol: string,
  more: readonly string[] = [],
): Promise<string> {
  const to = ['-connect', `127.0.0.1:${portOf(broker, protocol)}`, '-CAfile', join(where, 'root.crt'), ...more];
  const { stdout } = await run('openssl', ['s_client', ...to, '-status', '-verify_return_error'], { input: '' });
  return stdout;
}

async function staples(running: TestBroker, pattern: RegExp): Promise<void> {
  for (const protocol of secureProtocols) {
    let said = '';
    for (let tries = 0; tries < 50 && !pattern.test(said); tries++) said = await handshake(running, protocol);
    assert.match(said, pattern, protocol);
    assert.match(said, /Verify return code: 0/);
  }
}

describe('OCSP stapling', needs('openssl'), () => {
  it('is not there unless it is configured', async (t) => {
    const { running } = await start(t, {});
    await staples(running, /OCSP response: no response sent/);
    assert.equal(responder.asked, 0);
  });

  it('gives clients that ask the answer of the authority, over every protocol, and fetches it once for each', async (t) => {
    const { running } = await start(t, { ocsp_stapling: true });
    await staples(running, /OCSP Response Status: successful[\s\S]*Cert Status: good/);
    assert.equal(responder.asked, secureProtocols.length);
  });

  it('goes on by what it has at a reload, and asks again', async (t) => {
    const { running, input, file } = await start(t, { ocsp_stapling: true });
    await staples(running, /Cert Status: good/);
    await issuing.revoke({ file });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    responder.manner = async (response, answer) => {
      await held;
      await OcspResponder.honest(response, answer);
    };
    await running.broker.reload(testConfiguration(running.directory, input));
    await waitFor(() => responder.asked === 2 * secureProtocols.length);
    await staples(running, /Cert Status: good/);
    release();
    await staples(running, /Cert Status: revoked/);
  });

  it('serves clients without an answer when the responder gives none', async (t) => {
    const { running } = await start(t, { ocsp_stapling: true });
    responder.manner = (response) => response.writeHead(503).end();
    await running.broker.reload(testConfiguration(running.directory, { listeners: [{ protocol: 'mqtts', ...files }] }));
    await waitFor(() => running.broker.listeners.length === 1);
    assert.match(await handshake(running, 'mqtts'), /OCSP response: no response sent/);
  });

  it('takes an answer from a file, as long as it holds and is about this certificate', async (t) => {
    const { running, file, input } = await start(t, { ocsp_stapling_file: 'answer.der' });
    await staples(running, /Cert Status: good/);
    assert.equal(responder.asked, 0);
    const answer = join(running.directory, 'answer.der');
    const { file: another } = await issuing.issue();
    await makeAnswer(another, answer);
    await running.broker.reload(testConfiguration(running.directory, input));
    await staples(running, /OCSP response: no response sent/);
    assert.ok((running.broker.status().events['tls.ocsp_unanswered'] ?? 0) >= 2);
    await makeAnswer(file, answer);
    await running.broker.reload(testConfiguration(running.directory, input));
    await staples(running, /Cert Status: good/);
  });

  it('is about the certificate that is shown, where the client asks for another name', async (t) => {
    const { running, input, file } = await start(t, { ocsp_stapling: true });
    const extensions = ['subjectAltName = DNS:other.example', `authorityInfoAccess = OCSP;URI:${responder.url}`];
    const other = await issuing.issue({ extensions });
    await writeFile(join(running.directory, 'other.crt'), other.cert);
    await writeFile(join(running.directory, 'other.key'), other.key);
    await issuing.revoke({ file });
    const { listeners } = input as { listeners: readonly object[] };
    const more_certificates = [{ certfile: 'other.crt', keyfile: 'other.key' }];
    const several = { listeners: listeners.map((listener) => ({ ...listener, more_certificates })) } as object;
    await running.broker.reload(testConfiguration(running.directory, several));
    await staples(running, /Cert Status: revoked/);
    for (const protocol of secureProtocols) {
      let said = '';
      await waitFor(async () => {
        said = await handshake(running, protocol, ['-servername', 'other.example']);
        return /Cert Status: good/.test(said);
      });
      assert.match(said, /subject=CN = client/);
    }
  });

  it('is renewed when half of its life is over, and a minute after a failure', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const extensions = [`authorityInfoAccess = OCSP;URI:${responder.url}`];
    const { file } = await issuing.issue({ extensions });
    responder.asked = 0;
    const chain = (await readFile(file, 'utf8')) + issuing.chain;
    const subject = withIssuer(chain, []);
    assert.ok(subject);
    const failures: string[] = [];
    const staple = new OcspStaple(subject, 5_000, (reason) => failures.push(reason));
    // Timers are not real here: what is waited for is the network alone.
    const until = async (happened: () => boolean): Promise<void> => {
      while (!happened()) await new Promise((resolve) => setImmediate(resolve));
    };
    const now = Date.now();
    staple.start(undefined);
    await until(() => staple.current(now) !== undefined);
    const first = staple.current(now);
    t.mock.timers.tick(140_000);
    assert.equal(responder.asked, 1);
    responder.manner = (response) => response.writeHead(500).end();
    t.mock.timers.tick(11_000);
    await until(() => failures.length === 1);
    assert.match(failures.join(), /^http.*HTTP status 500; about the server's certificate$/);
    assert.equal(staple.current(now), first);
    responder.manner = OcspResponder.honest;
    t.mock.timers.tick(60_000);
    await until(() => staple.current(now) !== first);
    assert.equal(responder.asked, 3);
    assert.ok(staple.current(now + 299_000));
    assert.equal(staple.current(now + 400_000), undefined);
    staple.stop();
    t.mock.timers.tick(600_000);
    assert.equal(responder.asked, 3);
  });

  it('needs the certificate of the issuer', async (t) => {
    const { running, input, file } = await start(t, { ocsp_stapling: true });
    await copyFile(file, join(running.directory, 'server.crt'));
    const configuration = testConfiguration(running.directory, input);
    await assert.rejects(
      running.broker.reload(configuration),
      /server\.crt:1:1: does not hold the certificate of its issuer/,
    );
  });
});
