import type { WireOrigin } from '../transport/wire.js';
import type { CertificateFacts, Principal } from './principal.js';

/** What a client shows of itself in CONNECT and in the handshake below it. */
export interface Credentials {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  /** Of a client certificate that a listener's authority signed; undefined when none was shown. */
  readonly certificate: CertificateFacts | undefined;
  /** Of a pre-shared key that the connection rests on. */
  readonly pskIdentity: string | undefined;
  readonly origin: WireOrigin;
  /** Whether this user name has logged in from this address before: then it is not kept waiting by who guesses. */
  readonly known: boolean;
  /** Has `left` called when the client goes: nothing need be worked out for it any more. */
  whenLeft(left: () => void): void;
}

/** Why nobody was recognised: stable words for the audit, never shown to the client. */
export type DenialReason =
  | 'no_credentials'
  | 'bad_password'
  | 'too_many_attempts'
  | 'certificate_required'
  | 'certificate_invalid'
  | 'certificate_without_name'
  | 'names_differ'
  | 'bad_token'
  | 'tls_required'
  | 'left';

/** No; `detail` is for the audit, in words. */
interface Denial {
  readonly denied: DenialReason;
  readonly detail?: string;
}

/** Yes, no, or not mine. */
export type Verdict = { readonly principal: Principal } | Denial | { readonly notMine: true };

/** One way to prove who one is. */
export interface Authenticator {
  authenticate(credentials: Credentials): Verdict | Promise<Verdict>;
}

export const notMine: Verdict = { notMine: true };

/** Asks one after the other; the first that knows decides. Nobody knowing is a denial: fail closed. */
export class AuthenticatorChain implements Authenticator {
  constructor(private readonly authenticators: readonly Authenticator[]) {}

  authenticate(credentials: Credentials): Verdict | Promise<Verdict> {
    return this.ask(credentials, 0);
  }

  /** Answers at once where every authenticator does: connecting need not wait for a turn of the loop. */
  private ask(credentials: Credentials, from: number): Verdict | Promise<Verdict> {
    for (let index = from; index < this.authenticators.length; index++) {
      const verdict = (this.authenticators[index] as Authenticator).authenticate(credentials);
      if (verdict instanceof Promise) {
        return verdict.then((settled) => ('notMine' in settled ? this.ask(credentials, index + 1) : settled));
      }
      if (!('notMine' in verdict)) return verdict;
    }
    return { denied: 'no_credentials' };
  }
}
