import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsMaterial } from './tls-material.js';

/** A certificate with what is needed to show it. */
interface Shown {
  readonly certificate: X509Certificate;
  /** Of all but the first, which the server itself has. */
  readonly context: SecureContext | undefined;
  readonly staple: TlsMaterial['staple'];
}

/** What may be the name of a host (RFC 6066 §3: ASCII). One that begins with a dot has a certificate for all below it match. */
const hostName = /^[\w-][\w.-]{0,252}$/;

/** The certificates of a TLS listener, by the name that a client asks for in the handshake (SNI). */
export class ServerNames {
  private shown: readonly Shown[] = [];

  /** Shows these from now on, in the place of those before. */
  use(certificates: readonly TlsMaterial[]): void {
    this.shown = certificates.map(({ context, staple }, index) => ({
      certificate: new X509Certificate(String(context.cert)),
      context: index === 0 ? undefined : createSecureContext(context),
      staple,
    }));
  }

  /** To show the first certificate that has this name; undefined for the first of all, and where none has. */
  contextOf(name: string): SecureContext | undefined {
    if (!hostName.test(name)) return undefined;
    return this.shown.find(({ certificate }) => certificate.checkHost(name) !== undefined)?.context;
  }

  get haveStaples(): boolean {
    return this.shown.some(({ staple }) => staple !== undefined);
  }

  /** The OCSP answer about one of them, given in DER; undefined while there is none. */
  stapleOf(certificate: Buffer): Buffer | undefined {
    return this.shown.find((shown) => shown.certificate.raw.equals(certificate))?.staple?.();
  }
}
