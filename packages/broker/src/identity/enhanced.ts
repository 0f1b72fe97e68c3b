import type { Credentials, DenialReason } from './authenticator.js';
import type { Principal } from './principal.js';

/** What one step of an exchange leads to (MQTT 5.0 §4.12). */
export type ExchangeStep =
  | { readonly continueWith: Uint8Array | undefined }
  | { readonly principal: Principal; readonly data?: Uint8Array }
  | { readonly denied: DenialReason | 'exchange_failed' };

/** One authentication under way. */
export interface AuthenticationExchange {
  /** Takes the client's authentication data, of CONNECT first, then of each AUTH. */
  next(data: Uint8Array | undefined): Promise<ExchangeStep> | ExchangeStep;
}

/** An authentication method of AUTH packets, by the name that CONNECT gives. */
export interface AuthenticationMethod {
  readonly name: string;
  /** Begins an exchange; `current` is whom a re-authenticating client was proven to be. */
  begin(credentials: Credentials, current: Principal | undefined): AuthenticationExchange;
}

/** What the end of an exchange leads to. */
export interface ExchangeOutcome {
  succeeded(step: Extract<ExchangeStep, { principal: unknown }>): void;
  denied(reason: string): void;
}
