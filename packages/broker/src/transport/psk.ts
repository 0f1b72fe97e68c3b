import type { TLSSocket } from 'node:tls';

/** A key that both sides had before, and whose it is. */
export interface PreSharedKey {
  readonly identity: string;
  readonly key: Buffer;
}

/** The key that OpenSSL was last given for a handshake. */
const offered = new WeakMap<TLSSocket, PreSharedKey>();

/** What Node.js asks in a handshake in which the client offers a pre-shared key. */
export type PskLookup = (socket: TLSSocket, identity: string) => Buffer | null;

/** Looks keys up, and remembers for {@link pskOf} which was given. */
export function pskLookup(keyOf: (identity: string) => Buffer | undefined): PskLookup {
  return (socket, identity) => {
    const key = keyOf(identity);
    if (key === undefined) offered.delete(socket);
    else offered.set(socket, { identity, key });
    return key ?? null;
  };
}

/**
 * The pre-shared key that a finished handshake rests on. That a key was looked up proves nothing: by TLS 1.3 a client may
 * offer an identity that is not its own together with a cipher suite that the key does not fit, and go on with the
 * server's certificate alone. What counts is that the handshake rests on the key: by TLS 1.3 it is a resumption then
 * (RFC 8446 §2.2; there are no others here, for want of tickets), by TLS 1.2 the suite says so.
 */
export function pskOf(tls: TLSSocket): PreSharedKey | undefined {
  const restsOnKey = tls.getProtocol() === 'TLSv1.3' ? tls.isSessionReused() : /\bPSK-/.test(tls.getCipher().name);
  return restsOnKey ? offered.get(tls) : undefined;
}
