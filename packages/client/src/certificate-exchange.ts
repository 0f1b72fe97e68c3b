import type { KeyObject } from 'node:crypto';
import { CertificateError } from './errors.js';
import type { PublishOptions } from './options.js';
import type { Subscription } from './subscription.js';

/** Where a broker takes requests for certificates, and answers them. */
const topics = { request: '$moat/certificate/request', answer: '$moat/certificate/answer' } as const;

/** What the exchange needs of a connection: a client is one. */
export interface Exchanger {
  subscribe(filter: string): Promise<Subscription>;
  publish(topic: string, payload: string, options: PublishOptions): Promise<void>;
}

/** PEM. */
export interface IssuedCertificate {
  /** The certificate, with its chain up to the root. */
  readonly certificate: string;
  /** The authority that the device is to trust. */
  readonly ca: string;
}

/**
 * Asks the broker for the certificate of a device and its key, over a connection that proves who may have it.
 *
 * @param patience milliseconds
 * @throws CertificateError when the broker says no, or nothing, or something else than what was asked for; DeniedError,
 *   ClosedError
 */
export async function requestCertificate(
  client: Exchanger,
  name: string,
  key: KeyObject,
  patience = 30_000,
): Promise<IssuedCertificate> {
  const { writeCertificateRequest } = await import('@moat/pki');
  const subscription = await client.subscribe(topics.answer);
  const timer = setTimeout(() => void subscription.unsubscribe().catch(() => {}), patience);
  try {
    await client.publish(topics.request, writeCertificateRequest(name, key), { qos: 1 });
    for await (const { payload } of subscription) return await accept(payload, name, key);
  } finally {
    clearTimeout(timer);
  }
  throw new CertificateError('no_answer', `the broker did not answer in ${patience / 1000} s`);
}

/** What comes is checked as if anybody had sent it: a certificate of another name or key would lock the device out. */
async function accept(payload: Buffer, name: string, key: KeyObject): Promise<IssuedCertificate> {
  const answer = parse(payload);
  if ('error' in answer) throw new CertificateError(String(answer.error), String(answer.message));
  const { certificate, ca } = answer;
  if (typeof certificate !== 'string' || typeof ca !== 'string') throw unusable();
  if (!(await isUsable({ certificate, ca }, name, key))) throw unusable();
  return { certificate, ca };
}

async function isUsable({ certificate, ca }: IssuedCertificate, name: string, key: KeyObject): Promise<boolean> {
  const { describeCertificate, isKeyOf } = await import('@moat/pki');
  try {
    describeCertificate(ca);
    return describeCertificate(certificate).commonName === name && isKeyOf(certificate, key);
  } catch {
    return false; // one of the two is no certificate
  }
}

function parse(payload: Buffer): { readonly [key in 'error' | 'message' | 'certificate' | 'ca']?: unknown } {
  try {
    const value: unknown = JSON.parse(payload.toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // no JSON
  }
  throw unusable();
}

function unusable(): CertificateError {
  return new CertificateError('unusable', 'the broker sent no certificate for this name and key');
}
