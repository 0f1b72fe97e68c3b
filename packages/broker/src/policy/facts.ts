/** Fields of a verified client certificate that a policy can ask for. */
export const certificateFields = [
  'cn',
  'san_dns',
  'san_uri',
  'san_email',
  'subject',
  'issuer',
  'serial',
  'fingerprint',
] as const;

export type CertificateField = (typeof certificateFields)[number];

/** A certificate as a policy sees it; `serial` and `fingerprint` in lower-case hexadecimal without separators. */
export type CertificateNames = { readonly [Field in CertificateField]?: string | readonly string[] | undefined };

/** How a client can prove who it is. */
export const methods = ['password', 'certificate', 'psk', 'token', 'invite', 'anonymous'] as const;

/** What a policy knows of a connected client. */
export interface Subject {
  /** Undefined for an anonymous client. */
  readonly username: string | undefined;
  readonly clientId: string;
  /** How its identity was proven. */
  readonly method: string;
  /** Groups that whoever vouches for it says it is in; those of the policy come on top. */
  readonly groups?: readonly string[] | undefined;
  /** Of its token; left out, those of the claim `scope` (RFC 8693 §4.2). */
  readonly scopes?: readonly string[] | undefined;
  /** Of its token. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly certificate?: CertificateNames | undefined;
  /** IP address that it comes from. */
  readonly address: string;
  /** Protocol and port by which it came in, such as `mqtts:8883`. */
  readonly listener: string;
  /** Whether TLS protects the connection. */
  readonly tls?: boolean;
}

const single: Record<string, (subject: Subject) => string | undefined> = {
  username: ({ username }) => username,
  clientid: ({ clientId }) => clientId,
  method: ({ method }) => method,
  listener: ({ listener }) => listener,
};

const none: readonly string[] = [];
const claim = 'claims.';
const certificate = 'cert.';

/** What a subject says of one fact: `username`, `group`, `cert.san_uri`, `claims.tenant`, … Nothing, one or several values. */
export function valuesOf(subject: Subject, fact: string): readonly string[] {
  const read = Object.hasOwn(single, fact) ? single[fact] : undefined;
  if (read !== undefined) return listed(read(subject));
  if (fact === 'group') return subject.groups ?? none;
  if (fact === 'scope')
    return subject.scopes ?? textsOf(claimOf(subject.claims, 'scope')).flatMap((text) => text.split(' '));
  if (fact.startsWith(certificate))
    return listed(subject.certificate?.[fact.slice(certificate.length) as CertificateField]);
  if (fact.startsWith(claim)) return textsOf(claimOf(subject.claims, fact.slice(claim.length)));
  return none;
}

/** Whether there can be more than one value of a fact in one subject. */
export function canBeSeveral(fact: string): boolean {
  return !Object.hasOwn(single, fact);
}

function listed(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return none;
  return typeof value === 'string' ? [value] : value;
}

/** A claim by its own name, or by the names that lead to it inside others, with dots between. */
function claimOf(claims: unknown, name: string): unknown {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
  if (Object.hasOwn(claims, name)) return Reflect.get(claims, name);
  const dot = name.indexOf('.');
  if (dot < 0 || !Object.hasOwn(claims, name.slice(0, dot))) return undefined;
  return claimOf(Reflect.get(claims, name.slice(0, dot)), name.slice(dot + 1));
}

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => (Array.isArray(entry) ? [] : textsOf(entry)));
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : none;
}
