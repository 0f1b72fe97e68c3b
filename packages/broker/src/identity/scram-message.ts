import { saslPrep } from '@moat/scram';

/** What CONNECT brings: `n,,n=USER,r=NONCE`. */
export interface ClientFirst {
  /** The GS2 header, which the last message must repeat. */
  readonly header: string;
  readonly username: string;
  readonly nonce: string;
  /** All behind the header. */
  readonly bare: string;
}

/** What the client answers: `c=biws,r=NONCE,p=PROOF`. */
export interface ClientFinal {
  readonly header: string;
  readonly nonce: string;
  readonly proof: Buffer;
  readonly withoutProof: string;
}

/** Longer messages than this are nothing but an effort to read them. */
const longest = 1_024;

// An authorization identity (a=) is not taken: nobody acts for another. Nor is channel binding (p=), which is not offered.
const first = /^([ny],,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]{16,512}))(?:,[A-Za-ln-z]=[^,]+)*$/;
const final = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-ln-oq-z]=[^,]+)*),p=([A-Za-z0-9+/]+={0,2})$/;

/** RFC 5802 §7 `client-first-message`; undefined for anything else. */
export function parseClientFirst(data: Uint8Array): ClientFirst | undefined {
  const text = textOf(data);
  const [, header, , name, nonce] = first.exec(text ?? '') ?? [];
  if (text === undefined || header === undefined || name === undefined || nonce === undefined) return undefined;
  // [RFC 5802 §5.1] = stands only in =2C and =3D, and a string in ABNF has either case [RFC 5234 §2.3].
  if (/=(?!2C|3D)/i.test(name)) return undefined;
  const username = saslPrep(name.replaceAll(/=2C/gi, ',').replaceAll(/=3D/gi, '='));
  return username ? { header, username, nonce, bare: text.slice(header.length) } : undefined;
}

/** RFC 5802 §7 `client-final-message`; undefined for anything else. */
export function parseClientFinal(data: Uint8Array): ClientFinal | undefined {
  const [, withoutProof, binding, nonce, proof] = final.exec(textOf(data) ?? '') ?? [];
  if (withoutProof === undefined || binding === undefined || nonce === undefined || proof === undefined)
    return undefined;
  return {
    header: Buffer.from(binding, 'base64').toString(),
    nonce,
    proof: Buffer.from(proof, 'base64'),
    withoutProof,
  };
}

function textOf(data: Uint8Array): string | undefined {
  if (data.length > longest) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    return undefined;
  }
}
