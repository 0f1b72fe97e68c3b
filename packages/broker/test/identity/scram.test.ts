import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Mechanism, mechanismNames, saslPrep } from '@moat/scram';
import { formatVerifier, makeVerifier, parseVerifier } from '../../dist/identity/scram.js';
import { parseClientFinal, parseClientFirst } from '../../dist/identity/scram-message.js';
import { ScramMethod } from '../../dist/identity/scram-method.js';
import type { ExchangeStep } from '../../dist/index.js';

const text = (step: ExchangeStep): string =>
  Buffer.from(('continueWith' in step ? step.continueWith : 'data' in step ? step.data : undefined) ?? '').toString();

/** RFC 7677 §3, and the same exchange with SHA-512, worked out with Python's hashlib and hmac. */
const vectors: Record<Mechanism, { client: string; server: string }> = {
  'SCRAM-SHA-256': {
    client: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    server: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
  'SCRAM-SHA-512': {
    client: 'gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==',
    server: 'ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==',
  },
};

const nonce = 'rOprNGfwEbeRWgbNEkqO';
const more = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');

async function methodOf(name: Mechanism): Promise<ScramMethod> {
  const verifier = await makeVerifier(name, 'pencil', 4096, salt);
  return new ScramMethod(
    name,
    () => ({ verifierOf: (username) => ({ verifier, known: username === 'user' }) }),
    () => more,
  );
}

describe('SCRAM', () => {
  for (const name of mechanismNames) {
    const { client, server } = vectors[name];
    const final = `c=biws,r=${nonce}${more},p=${client}`;
    const challenge = `r=${nonce}${more},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;

    it(`${name} goes as the standard's example does`, async () => {
      const exchange = (await methodOf(name)).begin();
      assert.equal(text(await exchange.next(Buffer.from(`n,,n=user,r=${nonce}`))), challenge);
      const end = await exchange.next(Buffer.from(final));
      assert.ok('principal' in end);
      assert.equal(end.principal.username, 'user');
      assert.equal(text(end), `v=${server}`);
    });

    const wrong: Record<string, [first: string, final: string]> = {
      'another proof': [`n,,n=user,r=${nonce}`, final.replace(`p=${client[0]}`, 'p=A')],
      'a proof that is too short': [`n,,n=user,r=${nonce}`, final.replace(/p=.*/, 'p=AAAA')],
      'an unknown user': [`n,,n=other,r=${nonce}`, final],
      'another nonce': [`n,,n=user,r=${nonce}`, final.replace(more, 'x')],
      'another header than before': [`n,,n=user,r=${nonce}`, final.replace('biws', 'eSws')],
      'no message': [`n,,n=user,r=${nonce}`, ''],
    };
    for (const [what, [first, last]] of Object.entries(wrong)) {
      it(`${name} fails for ${what}, and nothing tells why`, async () => {
        const exchange = (await methodOf(name)).begin();
        assert.equal(text(await exchange.next(Buffer.from(first))), challenge);
        assert.deepEqual(await exchange.next(Buffer.from(last)), { denied: 'exchange_failed' });
      });
    }
  }

  it('takes no first message but a plain one', () => {
    const good = `n=user,r=${nonce}`;
    for (const name of ['a=2Cb=3Dc', 'a=2cb=3dc'])
      assert.equal(parseClientFirst(Buffer.from(`n,,n=${name},r=${nonce}`))?.username, 'a,b=c');
    // What stands for = begins nothing anew.
    assert.equal(parseClientFirst(Buffer.from(`n,,n=a=3D2C,r=${nonce}`))?.username, 'a=2C');
    assert.equal(parseClientFirst(Buffer.from(`y,,${good},x=extension`))?.username, 'user');
    const bad = [
      good,
      `p=tls-unique,,${good}`,
      `n,a=admin,${good}`,
      `n,,m=must,${good}`,
      `n,,n=us=er,r=${nonce}`,
      `n,,n=us=2,r=${nonce}`,
      `n,,n=us=41er,r=${nonce}`,
      `n,,n=,r=${nonce}`,
      `n,,n=u\u0000,r=${nonce}`,
      'n,,n=user,r=short',
      'n,,n=user',
      `n,,n=user,r=${'r'.repeat(1024)}`,
    ];
    for (const message of bad) assert.equal(parseClientFirst(Buffer.from(message)), undefined, message);
    assert.equal(parseClientFirst(Buffer.from([0x6e, 0x2c, 0x2c, 0xff])), undefined);
    assert.equal(parseClientFinal(Buffer.from(`c=biws,r=${nonce}`)), undefined);
  });

  it('keeps a verifier as text, and takes none that is too cheap or broken', async () => {
    for (const name of mechanismNames) {
      const verifier = await makeVerifier(name, 'pencil', 4096);
      const line = formatVerifier(verifier);
      assert.deepEqual(parseVerifier(line), verifier);
      for (const broken of [line.replace('4096', '4095'), line.slice(1), line.slice(0, -5), `${line}=`])
        assert.equal(parseVerifier(broken), undefined, broken);
    }
  });
});

describe('SASLprep', () => {
  // RFC 4013 §3.
  const table: [text: string, prepared: string | undefined][] = [
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['\u0007', undefined],
    ['a\u00a0b', 'a b'],
  ];
  for (const [given, prepared] of table) {
    it(`makes ${JSON.stringify(prepared)} of ${JSON.stringify(given)}`, () => assert.equal(saslPrep(given), prepared));
  }
});
