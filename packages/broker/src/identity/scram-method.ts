import { randomBytes } from 'node:crypto';
import type { Mechanism } from '@moat/scram';
import type { AuthenticationExchange, AuthenticationMethod, ExchangeStep } from './enhanced.js';
import type { Verifier } from './scram.js';
import { provesPassword, serverSignature } from './scram.js';
import { type ClientFinal, type ClientFirst, parseClientFinal, parseClientFirst } from './scram-message.js';

/** Where verifiers come from. */
export interface Verifiers {
  /** Of this user now; of one who does not exist, an invented one with `known: false`. */
  verifierOf(username: string, mechanism: Mechanism): { readonly verifier: Verifier; readonly known: boolean };
}

const failed: ExchangeStep = { denied: 'exchange_failed' };

/**
 * SCRAM as enhanced authentication (RFC 5802; MQTT 5.0 §4.12.1): CONNECT brings client-first, AUTH server-first, AUTH
 * client-final, and CONNACK, or AUTH when it is repeated, server-final. There is no channel binding.
 */
export class ScramMethod implements AuthenticationMethod {
  constructor(
    readonly name: Mechanism,
    private readonly verifiers: () => Verifiers,
    private readonly nonce: () => string = () => randomBytes(18).toString('base64'),
  ) {}

  begin(): AuthenticationExchange {
    let first: ClientFirst | undefined;
    let asked: { username: string; nonce: string; challenge: string; verifier: Verifier; known: boolean } | undefined;
    const challenge = (data: Uint8Array): ExchangeStep => {
      first = parseClientFirst(data);
      if (first === undefined) return failed;
      const { username } = first;
      const found = this.verifiers().verifierOf(username, this.name);
      const nonce = first.nonce + this.nonce();
      const { salt, iterations } = found.verifier;
      asked = { ...found, username, nonce, challenge: `r=${nonce},s=${salt.toString('base64')},i=${iterations}` };
      return { continueWith: Buffer.from(asked.challenge) };
    };
    return {
      next: (data = new Uint8Array(0)) => {
        if (first === undefined || asked === undefined) return challenge(data);
        const final = parseClientFinal(data);
        return final === undefined ? failed : this.judge(first, asked, final);
      },
    };
  }

  private judge(
    first: ClientFirst,
    asked: { username: string; nonce: string; challenge: string; verifier: Verifier; known: boolean },
    final: ClientFinal,
  ): ExchangeStep {
    const { username, verifier, known } = asked;
    const authMessage = `${first.bare},${asked.challenge},${final.withoutProof}`;
    // All of it is worked out for an unknown user, too.
    const proven = provesPassword(verifier, authMessage, final.proof);
    if (final.nonce !== asked.nonce || final.header !== first.header || !proven || !known) return failed;
    // The password may have been changed since the challenge.
    const now = this.verifiers().verifierOf(username, this.name);
    if (!now.known || !now.verifier.storedKey.equals(verifier.storedKey)) return failed;
    const signature = serverSignature(verifier, authMessage).toString('base64');
    return { principal: { username, method: 'password', mechanism: this.name }, data: Buffer.from(`v=${signature}`) };
  }
}
