import { X509Certificate } from 'node:crypto';
import { pemBlocks, readOcspAnswer } from '@moat/pki';
import { type Authority, asAuthority, type KnownCertificate, knownCertificate } from './certificate-path.js';
import { askResponder, type FreshAnswer } from './ocsp-query.js';

/** Milliseconds after which a responder that failed is asked again, and the least between two questions. */
const pause = 60_000;
/** Milliseconds after which an answer is renewed that does not say how long it holds. */
const unlimitedAnswer = 300_000;
/** The longest until an answer is renewed, in milliseconds: a day, which a timer can wait. */
const longest = 86_400_000;

/** The server's certificate and who signed it. */
export interface ServerCertificate {
  readonly leaf: KnownCertificate;
  readonly issuer: Authority;
}

/**
 * Finds who signed the first certificate of a PEM text: in what follows it there, or among these authorities.
 * @returns undefined if it is neither here nor there
 */
export function withIssuer(pem: string, authorities: readonly Authority[]): ServerCertificate | undefined {
  const [leaf, ...chain] = pemBlocks(pem, 'CERTIFICATE').map((der) => knownCertificate(new X509Certificate(der)));
  const issuer = [...chain.map(asAuthority), ...authorities].find(
    ({ content, publicKey }) =>
      leaf?.content.issuer.der.equals(content.subject.der) && leaf.certificate.verify(publicKey),
  );
  return leaf && issuer && { leaf, issuer };
}

/**
 * The answer of an authority about the server's own certificate, for clients that ask for it in the handshake (RFC 6066
 * §8): fetched ahead, renewed at half of its life, and given as long as it holds.
 */
export class OcspStaple {
  private answer: FreshAnswer | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private stopped = false;

  constructor(
    private readonly subject: ServerCertificate,
    /** Of a query, in milliseconds. */
    private readonly timeout: number,
    /** Told of each query that failed. */
    private readonly failed: (reason: string) => void,
  ) {}

  /** An answer that somebody else fetches. @throws DerError if it is none for this certificate */
  static of(subject: ServerCertificate, der: Buffer): OcspStaple {
    const staple = new OcspStaple(subject, 0, () => {});
    const { issuer, leaf } = subject;
    const expectation = { issuer, serialNumber: leaf.content.serialNumber, nonce: undefined, now: Date.now() };
    staple.answer = { ...readOcspAnswer(der, expectation), der };
    return staple;
  }

  /** DER, or undefined while there is none that holds. */
  current(now: number): Buffer | undefined {
    const { answer } = this;
    return answer === undefined || (answer.nextUpdate ?? now) < now ? undefined : answer.der;
  }

  /** Begins to fetch, now and ever again, going on from what another has if that is about the same certificate. */
  start(before: OcspStaple | undefined): void {
    before?.stop();
    if (this.answer !== undefined) return;
    const isSame = before?.subject.leaf.certificate.fingerprint256 === this.subject.leaf.certificate.fingerprint256;
    if (isSame) this.answer = before?.answer;
    void this.renew();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async renew(): Promise<void> {
    const { leaf, issuer } = this.subject;
    const [url] = leaf.content.ocspResponders;
    if (url === undefined) return this.failed("the server's certificate names no responder");
    let wait = pause;
    try {
      this.answer = await askResponder(url, issuer, leaf.content.serialNumber, this.timeout);
      const now = Date.now();
      wait = Math.min(Math.max(((this.answer.nextUpdate ?? now + 2 * unlimitedAnswer) - now) / 2, pause), longest);
    } catch (error) {
      this.failed(`${url}: ${(error as Error).message}; about the server's certificate`);
    }
    if (!this.stopped) this.timer = setTimeout(() => void this.renew(), wait).unref();
  }
}
