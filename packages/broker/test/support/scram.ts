import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { type Mechanism, mechanismNames } from '@moat/scram';
import { formatVerifier, makeVerifier } from '../../dist/identity/scram.js';

/** SCRAM verifiers of the fewest iterations there may be, as they stand behind a hash. */
export async function cheapVerifiers(password: string): Promise<string> {
  const made = mechanismNames.map((name) => makeVerifier(name, password, 4_096));
  return (await Promise.all(made)).map((verifier) => `:${formatVerifier(verifier)}`).join('');
}

/** A client's side of RFC 5802, apart from the one under test. */
export class ScramClient {
  readonly first: string;
  private signature = '';

  constructor(
    private readonly mechanism: Mechanism,
    username: string,
    private readonly password: string,
    private readonly nonce = 'fyko+d2lbbFgONRv9qkxdawL',
  ) {
    this.first = `n,,n=${username},r=${nonce}`;
  }

  /** What to answer to the server's challenge. */
  final(challenge: string): string {
    const [, nonce = '', salt = '', iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge) ?? [];
    if (!nonce.startsWith(this.nonce) || nonce === this.nonce) throw new Error(`no nonce in ${challenge}`);
    const [hash, length] = this.mechanism === 'SCRAM-SHA-256' ? ['sha256', 32] : ['sha512', 64];
    const hmac = (key: Buffer, text: string): Buffer =>
      createHmac(hash as string, key)
        .update(text)
        .digest();
    const salted = pbkdf2Sync(
      this.password,
      Buffer.from(salt, 'base64'),
      Number(iterations),
      length as number,
      hash as string,
    );
    const key = hmac(salted, 'Client Key');
    const withoutProof = `c=biws,r=${nonce}`;
    const message = `${this.first.slice(3)},${challenge},${withoutProof}`;
    const signature = hmac(
      createHash(hash as string)
        .update(key)
        .digest(),
      message,
    );
    this.signature = `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`;
    return `${withoutProof},p=${Buffer.from(key.map((byte, index) => byte ^ (signature[index] ?? 0))).toString('base64')}`;
  }

  /** Whether the server has shown that it knows the verifier. */
  trusts(answer: string): boolean {
    return answer === this.signature;
  }
}
