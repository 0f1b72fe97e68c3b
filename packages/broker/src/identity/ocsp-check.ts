import type { OcspAnswer } from '@moat/pki';
import type { CertificatePath, Link } from './certificate-path.js';
import { askResponder, ResponderSilent } from './ocsp-query.js';
import { WorkGate } from './work-gate.js';

/** How client certificates are asked about; the configuration's names. */
export interface OcspOptions {
  readonly ocsp: 'off' | 'soft' | 'hard';
  /** In place of the one that a certificate names. */
  readonly ocsp_responder?: string | undefined;
  /** Hosts that a certificate may name; empty: every host. */
  readonly ocsp_hosts: readonly string[];
  /** Seconds. */
  readonly ocsp_timeout: number;
}

/** What is known of a certificate, until when. */
interface Known {
  readonly status: 'good' | 'revoked' | 'unknown' | 'unanswered';
  readonly until: number;
}

/** Answers that are kept. */
const maxKept = 10_000;
/** Milliseconds for which an answer holds that does not say how long. */
const unlimitedAnswer = 300_000;
/** Milliseconds for which nobody is asked again after a failure: no client is to be delayed by the silence for another. */
const pauseAfterFailure = 10_000;
/** Responders whose silence is remembered. */
const maxSilent = 1_000;
/** The longest that an answer is kept, in milliseconds. */
const longest = 7 * 86_400_000;

/**
 * Asks the authorities of clients' certificates whether these still count (OCSP, RFC 6960), and keeps the answers. Who
 * waits for one holds up nobody else.
 */
export class OcspCheck {
  private readonly kept = new Map<string, Known>();
  /** Whoever connects does not wait for those that are connected already. */
  private readonly lanes = { connecting: new Lane(16), connected: new Lane(4) };
  /** Until when responders that did not answer are left alone, by their origin. */
  private readonly silentUntil = new Map<string, number>();

  constructor(
    private readonly options: OcspOptions,
    /** Told of each query that failed. */
    private readonly failed: (reason: string) => void,
  ) {}

  /**
   * Why the certificate at the beginning of a path does not count; undefined if it does. A promise where its
   * authority must be asked.
   */
  problem(path: CertificatePath, now: number): string | undefined | Promise<string | undefined> {
    const [link] = path.links;
    if (link === undefined) return undefined; // trusted by itself: there is nobody to ask
    const known = this.find(link, now, this.lanes.connecting);
    return known instanceof Promise ? known.then((found) => this.verdict(found)) : this.verdict(known);
  }

  /** Whether a certificate that was good is known to be revoked now. */
  async isRevoked(path: CertificatePath, now: number): Promise<boolean> {
    const [link] = path.links;
    return link !== undefined && (await this.find(link, now, this.lanes.connected)).status === 'revoked';
  }

  private verdict({ status }: Known): string | undefined {
    if (status === 'revoked') return 'CERT_REVOKED';
    if (status === 'unknown') return 'OCSP_UNKNOWN';
    return status === 'unanswered' && this.options.ocsp === 'hard' ? 'OCSP_UNANSWERED' : undefined;
  }

  private find(link: Link, now: number, lane: Lane): Known | Promise<Known> {
    const key = `${link.issuer.id} ${link.serialNumber}`;
    const kept = this.kept.get(key);
    if (kept !== undefined && now < kept.until) return kept;
    return lane.once(key, async () => {
      const known = await this.ask(link, lane.gate);
      this.keep(key, known);
      return known;
    });
  }

  private keep(key: string, known: Known): void {
    this.kept.delete(key);
    if (this.kept.size >= maxKept) this.kept.delete(this.kept.keys().next().value ?? '');
    this.kept.set(key, known);
  }

  /** Never rejects: not to know is an answer as well. */
  private async ask(link: Link, gate: WorkGate): Promise<Known> {
    const unanswered = (reason: string): Known => {
      this.failed(`${reason}; serial ${link.serialNumber}`);
      return { status: 'unanswered', until: Date.now() + pauseAfterFailure };
    };
    const url = responderOf(link, this.options);
    if ('problem' in url) return unanswered(url.problem);
    try {
      const answer = await gate.run(url.origin, () => this.askAt(url, link));
      if (answer === 'busy' || answer === 'left') return unanswered('too many queries wait');
      const now = Date.now();
      return { status: answer.status, until: Math.min(answer.nextUpdate ?? now + unlimitedAnswer, now + longest) };
    } catch (error) {
      return unanswered(`${url.href}: ${(error as Error).message}`);
    }
  }

  private async askAt({ href, origin }: URL, { issuer, serialNumber }: Link): Promise<OcspAnswer> {
    if ((this.silentUntil.get(origin) ?? 0) > Date.now()) throw new Error('it has not answered before');
    try {
      return await askResponder(href, issuer, serialNumber, this.options.ocsp_timeout * 1_000);
    } catch (error) {
      if (error instanceof ResponderSilent) {
        if (this.silentUntil.size >= maxSilent) this.silentUntil.clear();
        this.silentUntil.set(origin, Date.now() + pauseAfterFailure);
      }
      throw error;
    }
  }
}

/** Queries under way for one purpose: a bounded number at once, and one for all who wait for the same. */
class Lane {
  readonly gate: WorkGate;
  private readonly underWay = new Map<string, Promise<Known>>();

  constructor(atOnce: number) {
    this.gate = new WorkGate(() => ({ running: atOnce, waiting: 10_000 }));
  }

  once(key: string, ask: () => Promise<Known>): Promise<Known> {
    let query = this.underWay.get(key);
    if (query === undefined) {
      query = ask().finally(() => this.underWay.delete(key));
      this.underWay.set(key, query);
    }
    return query;
  }
}

/** Where to ask. What a certificate names is a place of its authority's choice, but not any place that there is. */
function responderOf(
  { ocspResponders }: Link,
  { ocsp_responder, ocsp_hosts }: OcspOptions,
): URL | { readonly problem: string } {
  const [named] = ocspResponders;
  if (ocsp_responder === undefined && named === undefined) return { problem: 'the certificate names no responder' };
  const written = ocsp_responder ?? named ?? '';
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '')
    return { problem: 'the certificate names no responder that can be asked' };
  if (ocsp_responder === undefined && ocsp_hosts.length > 0 && !ocsp_hosts.includes(url.hostname))
    return { problem: `the certificate names ${url.hostname}, which is not in ocsp_hosts` };
  return url;
}
