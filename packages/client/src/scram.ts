import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  deriveKeys,
  exclusiveOr,
  type Keys,
  leastIterations,
  type Mechanism,
  mostIterations,
  saslPrep,
  signature,
} from '@moat/scram';
import { InvalidError, UnprovenError } from './errors.js';

/** Longer messages than this are nothing but an effort to read them. */
const longest = 1_024;

const challengeForm = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]{11,684}={0,2}),i=(\d{1,9})(?:,[A-Za-ln-z]=[^,]+)*$/;
const outcomeForm = /^v=([A-Za-z0-9+/]+={0,2})$/;
/** No channel binding is offered, and none is asked for. */
const header = 'n,,';

/**
 * One exchange of SCRAM, the client's side (RFC 5802): we prove that we know the password without sending it, and the
 * server proves that it knows what belongs to it.
 *
 * ```
 *   first ──> server: challenge ──> answer ──> server: outcome ──> check
 * ```
 */
export class ScramExchange {
  private readonly bare: string;
  private keys: Keys | undefined;
  private authMessage = '';

  /** @throws InvalidError for a user name that holds what SASLprep forbids */
  constructor(
    readonly mechanism: Mechanism,
    username: string,
    private readonly password: string,
    private readonly nonce = randomBytes(18).toString('base64'),
  ) {
    const prepared = saslPrep(username);
    if (!prepared) throw new InvalidError('the user name holds a character that SCRAM forbids, or nothing');
    this.bare = `n=${prepared.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.nonce}`;
  }

  /** What CONNECT, or AUTH with 0x19, bears. */
  first(): Buffer {
    return Buffer.from(header + this.bare);
  }

  /**
   * The answer to a challenge. Works as long as the server asks, within bounds: a hostile one could ask for hours, or for so
   * little that the password can be guessed from the answer.
   * @throws UnprovenError
   */
  async answer(challenge: Uint8Array | undefined): Promise<Buffer> {
    if (this.keys !== undefined) throw new UnprovenError('it asked twice');
    const text = textOf(challenge);
    const [, nonce = '', salt = '', count] = challengeForm.exec(text) ?? [];
    const iterations = Number(count);
    // [RFC 5802 §5.1] It begins with ours, or it is an answer to somebody else.
    if (!nonce.startsWith(this.nonce) || nonce === this.nonce) throw new UnprovenError('its challenge is not for us');
    if (!(iterations >= leastIterations && iterations <= mostIterations))
      throw new UnprovenError(
        `it asked for ${iterations} iterations; ${leastIterations} to ${mostIterations} are taken`,
      );
    this.keys = await deriveKeys(this.mechanism, this.password, Buffer.from(salt, 'base64'), iterations);
    const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${nonce}`;
    this.authMessage = `${this.bare},${text},${withoutProof}`;
    const { clientKey, storedKey } = this.keys;
    const proof = exclusiveOr(clientKey, signature(this.mechanism, storedKey, this.authMessage));
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  /** Whether the server knows what belongs to the password. @throws UnprovenError if it does not, or does not say */
  check(outcome: Uint8Array | undefined): void {
    const [, given = ''] = outcomeForm.exec(textOf(outcome)) ?? [];
    if (this.keys === undefined) throw new UnprovenError('it let us in without asking for a proof');
    const expected = signature(this.mechanism, this.keys.serverKey, this.authMessage);
    const claimed = Buffer.from(given, 'base64');
    if (claimed.length !== expected.length || !timingSafeEqual(claimed, expected))
      throw new UnprovenError('its signature is wrong');
  }
}

function textOf(data: Uint8Array | undefined): string {
  if (data === undefined || data.length > longest) return '';
  return Buffer.from(data).toString('utf8');
}
