import { createHash, createPublicKey } from 'node:crypto';
import { DerError, Tag } from './der.js';
import { element, identifier, generalizedTime as time } from './der-writer.js';
import type { ListedCertificate } from './issue-log.js';
import { keyBits } from './key-identifier.js';
import { type IssuerBytes, issuerBytes, type OcspQuestion, readOcspRequest } from './ocsp-request.js';
import type { OcspSigner, OcspSource } from './ocsp-source.js';
import { REASON_CODES } from './revocation-list.js';
import { signedSequence } from './signed.js';

/** OCSPResponseStatus (RFC 6960 §4.2.1). */
const STATUS = { successful: 0, malformedRequest: 1, internalError: 2 } as const;

/** id-pkix-ocsp-basic. */
const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';

/** Certificates that one request may ask about. */
const MOST_QUESTIONS = 16;
/** Milliseconds for which the logs are not read again: far less than a revocation may take to bite. */
const FRESH = 1000;

/**
 * Answers OCSP requests (RFC 6960) about the certificates of an authority, signed by it or by a responder that it has
 * certified: good, revoked with time and reason, or unknown for what it has not issued. Repeats the nonce.
 */
export class OcspResponder {
  readonly #issuer: IssuerBytes;
  #known = new Map<string, ListedCertificate>();
  #signer: OcspSigner | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly source: OcspSource,
    /** Milliseconds for which an answer may be kept. */
    private readonly validity: number,
  ) {
    this.#issuer = issuerBytes(source.issuer);
  }

  /** The answer to a request in DER; what is no request gets `malformedRequest`. */
  async answer(request: Buffer, now: Date): Promise<Buffer> {
    try {
      const { questions, nonce } = readOcspRequest(request, this.#issuer);
      if (questions.length === 0 || questions.length > MOST_QUESTIONS) return failure(STATUS.malformedRequest);
      const signer = await this.#refresh(now);
      const responses = questions.map((question) => this.#single(question, now));
      const keyHash = createHash('sha1').update(keyBitsOf(signer)).digest();
      const data = sequence(
        element(0xa2, element(Tag.octetString, keyHash)),
        time(now),
        sequence(...responses),
        ...(nonce === undefined ? [] : [element(0xa1, sequence(nonce))]),
      );
      const basic = signedSequence(data, signer.privateKey, ...certificatesOf(signer));
      const bytes = sequence(identifier(BASIC_RESPONSE), element(Tag.octetString, basic));
      return sequence(status(STATUS.successful), element(0xa0, bytes));
    } catch (error) {
      return failure(error instanceof DerError ? STATUS.malformedRequest : STATUS.internalError);
    }
  }

  async #refresh(now: Date): Promise<OcspSigner> {
    if (this.#signer !== undefined && now.getTime() - this.#readAt < FRESH) return this.#signer;
    this.#known = new Map((await this.source.list()).map((one) => [one.serialNumber, one]));
    this.#signer = await this.source.signer();
    this.#readAt = now.getTime();
    return this.#signer;
  }

  #single({ id, serialNumber, ours }: OcspQuestion, now: Date): Buffer {
    const known = ours ? this.#known.get(serialNumber) : undefined;
    const nextUpdate = new Date(now.getTime() + this.validity);
    return sequence(id, statusOf(known), time(now), element(0xa0, time(nextUpdate)));
  }
}

function keyBitsOf({ privateKey }: OcspSigner): Buffer {
  return keyBits(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
}

/** What shows that the signer may (RFC 6960 §4.2.1). */
function certificatesOf({ certificate }: OcspSigner): Buffer[] {
  return certificate === undefined ? [] : [element(0xa0, sequence(certificate))];
}

function statusOf(known: ListedCertificate | undefined): Buffer {
  if (known === undefined) return element(0x82);
  if (known.revocation === undefined) return element(0x80);
  const reason = element(Tag.enumerated, Buffer.of(REASON_CODES[known.revocation.reason]));
  return element(0xa1, time(known.revocation.at), element(0xa0, reason));
}

function failure(code: number): Buffer {
  return sequence(status(code));
}

function status(code: number): Buffer {
  return element(Tag.enumerated, Buffer.of(code));
}

function sequence(...contents: readonly Uint8Array[]): Buffer {
  return element(Tag.sequence, ...contents);
}
