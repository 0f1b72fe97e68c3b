/** Names in a certificate by their kind, all of each: a kind that is there twice is for whoever reads it to judge. */
export interface CertificateNames {
  /** Common names of the subject, then organizations and organizational units. */
  readonly cn: readonly string[];
  readonly o: readonly string[];
  readonly ou: readonly string[];
  /** Common names of the issuer. */
  readonly issuer_cn: readonly string[];
  /** Subject alternative names (RFC 5280 §4.2.1.6). */
  readonly san_dns: readonly string[];
  readonly san_uri: readonly string[];
  readonly san_email: readonly string[];
}

/** What a verified client certificate says about its bearer. */
export interface CertificateFacts {
  /** As RFC 4514 writes a name. */
  readonly subject: string;
  readonly issuer: string;
  readonly names: CertificateNames;
  /** Lower-case hexadecimal, no separators. */
  readonly serialNumber: string;
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly validFrom: Date;
  readonly validTo: Date;
}

/**
 * Who a client was proven to be. Everything behind authentication (sessions, policy, audit) sees this and
 * nothing else of the credentials.
 */
export interface Principal {
  /** The user name, or the name in the certificate; undefined for an anonymous client. */
  readonly username: string | undefined;
  /** How it was proven. */
  readonly method: 'password' | 'certificate' | 'psk' | 'invite' | 'anonymous';
  /** The SASL mechanism, when the password itself was not sent. */
  readonly mechanism?: string;
  /** Of the certificate shown, whether or not it is what proves the name. */
  readonly certificate?: CertificateFacts;
  /** The invite that was shown: its bearer may ask for the certificate of a device, and nothing else. */
  readonly invite?: string;
  /** Groups that the proof itself names. */
  readonly groups?: readonly string[];
  /** What else the proof says of its bearer, such as the claims of a token. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the proof ends, in wall-clock milliseconds; the connection ends then, unless it was proven anew. */
  readonly expiresAt?: number;
}

const userPrefix = 'user:';

/** What owns a stored session: equal keys are the same principal (invariant 3). */
export function principalKey(principal: Principal): string {
  return principal.username === undefined ? 'anonymous' : `${userPrefix}${principal.username}`;
}

/** As much of the principal as its key tells, for a session whose client has not come back yet. */
export function principalOfKey(key: string): Principal {
  return key.startsWith(userPrefix)
    ? { username: key.slice(userPrefix.length), method: 'password' }
    : { username: undefined, method: 'anonymous' };
}
