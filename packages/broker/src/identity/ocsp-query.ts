import { randomBytes } from 'node:crypto';
import { type OcspAnswer, readOcspAnswer, writeOcspRequest } from '@moat/pki';
import type { Authority } from './certificate-path.js';

/** Bytes of the largest answer that is read: real ones have some hundreds to a few thousands. */
const maxAnswer = 65_536;
const mediaType = 'application/ocsp-response';

/** A responder that cannot be reached, or does not answer in time: there is no use in asking it about others. */
export class ResponderSilent extends Error {}

/** An answer that was believed, and the DER that it came in. */
export interface FreshAnswer extends OcspAnswer {
  readonly der: Buffer;
}

/**
 * Asks a responder about one certificate (RFC 6960 appendix A.1). Redirections are not followed: a certificate names
 * one place, not wherever that points to.
 * @param timeout of the whole query, in milliseconds
 * @throws ResponderSilent, or an Error with what is wrong with the answer
 */
export async function askResponder(
  url: string,
  issuer: Authority,
  serialNumber: string,
  timeout: number,
): Promise<FreshAnswer> {
  const nonce = randomBytes(32);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/ocsp-request', accept: mediaType },
    body: writeOcspRequest(issuer.content, serialNumber, nonce),
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
  }).catch((error: Error) => {
    throw new ResponderSilent(`no answer: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  const der = await bodyOf(response);
  return { ...readOcspAnswer(der, { issuer, serialNumber, nonce, now: Date.now() }), der };
}

async function bodyOf(response: Response): Promise<Buffer> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  const problem =
    response.status !== 200
      ? `HTTP status ${response.status}`
      : type !== mediaType
        ? `the answer is of type ${type}`
        : undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (problem !== undefined || length > maxAnswer) break; // which ends the connection
    chunks.push(chunk);
  }
  if (problem !== undefined) throw new Error(problem);
  if (length > maxAnswer) throw new Error(`the answer is longer than ${maxAnswer} bytes`);
  return Buffer.concat(chunks);
}
