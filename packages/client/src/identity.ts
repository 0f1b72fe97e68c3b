import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { IClientOptions } from 'mqtt';
import { type Exchanger, requestCertificate } from './certificate-exchange.js';
import { InvalidError } from './errors.js';
import type { Identity, Life } from './renewal.js';

/** Gets the next certificate for the name in the one at hand. */
export async function nextIdentity(
  client: Exchanger,
  current: Identity | undefined,
  newKey: boolean,
): Promise<Identity> {
  if (current === undefined) throw new InvalidError('a client without a certificate has none to renew');
  const { describeCertificate, generatePrivateKey } = await import('@moat/pki');
  const { commonName = '' } = describeCertificate(current.cert);
  const key = newKey ? await generatePrivateKey() : createPrivateKey(current.key);
  const { certificate } = await requestCertificate(client, commonName, key);
  const keyPem = newKey ? String(key.export({ type: 'pkcs8', format: 'pem' })) : current.key;
  return { cert: certificate, key: keyPem };
}

export function lifeOf({ cert }: Identity): Life {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { from: Date.parse(validFrom), to: Date.parse(validTo) };
}

/** The next connection shows it: MQTT.js reads its options anew each time. */
export function useIdentity(options: IClientOptions, { cert, key }: Identity): void {
  if (options.protocol === 'wss') Object.assign(options.wsOptions ?? {}, { cert, key });
  else Object.assign(options, { cert, key });
}
