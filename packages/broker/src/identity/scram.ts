import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  deriveKeys,
  exclusiveOr,
  leastIterations,
  type Mechanism,
  mechanisms,
  mostIterations,
  signature,
  storedKeyOf,
} from '@moat/scram';

/** What a server keeps of a password: enough to recognise who knows it, too little to be that one. */
export interface Verifier {
  readonly mechanism: Mechanism;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** RFC 5802 §3, with a fresh salt. Takes a tenth of a second and more, outside of the event loop. */
export async function makeVerifier(
  mechanism: Mechanism,
  password: string,
  iterations: number = mechanisms[mechanism].iterations,
  salt: Buffer = randomBytes(16),
): Promise<Verifier> {
  const { storedKey, serverKey } = await deriveKeys(mechanism, password, salt, iterations);
  return { mechanism, salt, iterations, storedKey, serverKey };
}

/** `$scram-sha-256$i=600000$SALT$STOREDKEY$SERVERKEY`, base64: what stands in a password file. */
export function formatVerifier({ mechanism, salt, iterations, storedKey, serverKey }: Verifier): string {
  const fields = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'));
  return `$${mechanism.toLowerCase()}$i=${iterations}$${fields.join('$')}`;
}

const salt = '[A-Za-z0-9+/]{11,172}={0,2}';
const form = new RegExp(
  `^\\$(?:(scram-sha-256)\\$i=(\\d{4,8})\\$(${salt})${'\\$([A-Za-z0-9+/]{43}=)'.repeat(2)}|` +
    `(scram-sha-512)\\$i=(\\d{4,8})\\$(${salt})${'\\$([A-Za-z0-9+/]{86}==)'.repeat(2)})$`,
);

/** As much of a verifier as can be told without taking it apart; undefined for what is none. */
export function verifierKind(text: string): Pick<Verifier, 'mechanism' | 'iterations'> | undefined {
  const fields = form.exec(text);
  const name = fields?.[1] ?? fields?.[6];
  const iterations = Number(fields?.[2] ?? fields?.[7]);
  if (name === undefined || iterations < leastIterations || iterations > mostIterations) return undefined;
  return { mechanism: name.toUpperCase() as Mechanism, iterations };
}

/** Undefined for what is no verifier, or one of too few or too many iterations. */
export function parseVerifier(text: string): Verifier | undefined {
  const kind = verifierKind(text);
  if (kind === undefined) return undefined;
  const [salt, storedKey, serverKey] = text.split('$').slice(3) as [string, string, string];
  const bytes = (field: string) => Buffer.from(field, 'base64');
  return { ...kind, salt: bytes(salt), storedKey: bytes(storedKey), serverKey: bytes(serverKey) };
}

/** Whether the client's proof shows that it knows the password; in constant time. */
export function provesPassword({ mechanism, storedKey }: Verifier, authMessage: string, proof: Uint8Array): boolean {
  if (proof.length !== mechanisms[mechanism].length) return false;
  const clientKey = exclusiveOr(signature(mechanism, storedKey, authMessage), proof);
  return timingSafeEqual(storedKeyOf(mechanism, clientKey), storedKey);
}

/** By which the server shows the client that it, too, knows the password's verifier. */
export function serverSignature({ mechanism, serverKey }: Verifier, authMessage: string): Buffer {
  return signature(mechanism, serverKey, authMessage);
}

/**
 * The verifier that a user has who does not exist: the same at every attempt, and known to nobody without the secret.
 * @param iterations as the users of the file have them
 */
export function makeBelieve(mechanism: Mechanism, secret: Buffer, username: string, iterations: number): Verifier {
  const { length } = mechanisms[mechanism];
  const part = (what: string) => createHmac('sha512', secret).update(`${mechanism} ${what} ${username}`).digest();
  const storedKey = part('stored key').subarray(0, length);
  return {
    mechanism,
    salt: part('salt').subarray(0, 16),
    iterations,
    storedKey,
    serverKey: signature(mechanism, secret, '-'),
  };
}
