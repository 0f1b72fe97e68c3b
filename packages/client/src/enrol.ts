import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type IssuedCertificate, requestCertificate } from './certificate-exchange.js';
import { connect } from './client.js';
import { InvalidError } from './errors.js';

/** What `moat device invite` gives to whoever sets a device up. It holds a secret. */
export interface Invitation {
  readonly host: string;
  readonly port: number;
  /** PEM of the one authority that the broker's certificate must come from: no other is trusted. */
  readonly ca: string;
  /** The device, or a pattern of devices with one `*`. */
  readonly names: string;
  readonly token?: string;
  /** PEM of a claim certificate and its key, in place of a token. */
  readonly cert?: string;
  readonly key?: string;
}

const user = '$enrol';

/**
 * Gets the first certificate of a device. With the same key it may be tried again: an answer that was lost costs nothing.
 *
 * @throws CertificateError when the broker says no; TlsError when it is not the broker of the invite; ClientError
 */
export async function enrol(invitation: Invitation, name: string, key: KeyObject): Promise<IssuedCertificate> {
  const { host, port, ca, token, cert, key: claimKey } = invitation;
  const proof =
    token === undefined
      ? { ...(cert === undefined ? {} : { cert }), ...(claimKey === undefined ? {} : { key: claimKey }) }
      : { username: user, password: token };
  const client = await connect({ host, port, ca, ...proof, clientId: '', reconnect: false });
  try {
    return await requestCertificate(client, name, key);
  } finally {
    await client.close();
  }
}

/** Reads an invite. @throws InvalidError which names the file, and never what it holds */
export async function loadInvitation(file: string): Promise<Invitation> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new InvalidError(`cannot read the invite: ${cause.message}`, { cause });
  });
  const values = parse(text);
  const isText = (key: keyof Invitation): boolean => typeof values[key] === 'string';
  const isProven = isText('token') || (isText('cert') && isText('key'));
  const hasPort = Number.isInteger(values.port) && Number(values.port) > 0 && Number(values.port) < 65_536;
  if (!isText('host') || !hasPort || !isText('ca') || !isText('names') || !isProven)
    throw new InvalidError(`${file}:1:1: not an invite, as moat device invite writes it`);
  return values as unknown as Invitation;
}

function parse(text: string): { readonly [Key in keyof Invitation]?: unknown } {
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values === 'object' && values !== null) return values;
  } catch {
    // The message of the parser would quote the secret.
  }
  return {};
}
