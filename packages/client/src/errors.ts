import { ReasonCodes } from 'mqtt';

/** No connection: name not found, nothing listens there, no answer in time. Trying again later may help. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'unreachable';
}

/** The server's certificate was not accepted, ours was not, or no common version of TLS was found. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code = 'tls';
  /** OpenSSL's or Node's own code, such as `ERR_TLS_CERT_ALTNAME_INVALID`. */
  readonly tlsCode: string | undefined;

  constructor(message: string, tlsCode: string | undefined, cause: unknown) {
    super(message, { cause });
    this.tlsCode = tlsCode;
  }
}

/** The broker answered CONNECT with a failure (MQTT 5.0 §3.2.2.2; 3.1.1 §3.2.2.3). */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code = 'refused';
  readonly reasonCode: number;

  constructor(reasonCode: number) {
    super(`the broker refused the connection: ${describeReason(reasonCode)}`);
    this.reasonCode = reasonCode;
  }
}

/** The broker did not allow a PUBLISH or a SUBSCRIBE; the connection lives on. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError';
  readonly code = 'denied';
  readonly action: 'publish' | 'subscribe';
  /** The topic or the filter. */
  readonly topic: string;
  readonly reasonCode: number;

  constructor(action: 'publish' | 'subscribe', topic: string, reasonCode: number) {
    super(`the broker denied to ${action} ${topic}: ${describeReason(reasonCode)}`);
    this.action = action;
    this.topic = topic;
    this.reasonCode = reasonCode;
  }
}

/** The connection ended: `reasonCode` is the broker's, if it sent a DISCONNECT. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';
  readonly code = 'closed';
  readonly reasonCode: number | undefined;

  constructor(message: string, reasonCode?: number, cause?: unknown) {
    super(
      reasonCode === undefined ? message : `${message}: ${describeReason(reasonCode)}`,
      cause === undefined ? undefined : { cause },
    );
    this.reasonCode = reasonCode;
  }
}

/** The server did not prove that it knows what belongs to our password: it may be another than it says. */
export class UnprovenError extends Error {
  override readonly name = 'UnprovenError';
  readonly code = 'unproven';

  constructor(why: string) {
    super(`the server did not prove that it knows the password's verifier: ${why}`);
  }
}

/** What the caller passed cannot be sent, or a connection file is wrong; nothing was sent. */
export class InvalidError extends Error {
  override readonly name = 'InvalidError';
  readonly code = 'invalid';
}

/** The broker issued no certificate, or an unusable one. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code = 'certificate';
  /** The broker's own code, such as `pki.invite_refused`; `no_answer` or `unusable` where it has given none. */
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Every error that this package throws; tell them apart by `code`. */
export type ClientError =
  | UnreachableError
  | TlsError
  | RefusedError
  | DeniedError
  | ClosedError
  | UnprovenError
  | InvalidError
  | CertificateError;

const kinds = [
  UnreachableError,
  TlsError,
  RefusedError,
  DeniedError,
  ClosedError,
  UnprovenError,
  InvalidError,
  CertificateError,
];

/** True for the errors of this package. */
export function isClientError(error: unknown): error is ClientError {
  return kinds.some((kind) => error instanceof kind);
}

function describeReason(code: number): string {
  const name = (ReasonCodes as Record<number, string>)[code];
  const number = `0x${code.toString(16).padStart(2, '0')}`;
  return name ? `${name.toLowerCase()} (${number})` : number;
}

/** Reasons that may pass by themselves; after any other the broker would only say the same again. */
const transient = new Set([0x00, 0x03, 0x80, 0x83, 0x88, 0x89, 0x8b, 0x8d, 0x93, 0x96, 0x97, 0x98, 0x9f, 0xa0]);

/** Whether connecting again with the same options can succeed. */
export function isTransient(error: ClientError): boolean {
  if (error.code === 'refused') return transient.has(error.reasonCode);
  if (error.code === 'closed') return error.reasonCode === undefined || transient.has(error.reasonCode);
  return error.code !== 'invalid' && error.code !== 'unproven';
}

const tlsCodes = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|INVALID_|HOSTNAME_|EPROTO)/;

const untrusted = /^(UNABLE_TO_(VERIFY|GET)|SELF_SIGNED|DEPTH_ZERO)/;

/** What a failure of the transport or of MQTT.js means to the caller. */
export function classify(error: unknown): ClientError {
  if (isClientError(error)) return error;
  const { message, code } = error instanceof Error ? (error as Error & { code?: unknown }) : { message: String(error) };
  if (typeof code === 'number') return new RefusedError(code);
  if (typeof code === 'string' && tlsCodes.test(code)) return new TlsError(explainTls(message, code), code, error);
  const text = message === 'connack timeout' ? 'the server did not answer CONNECT in time' : message;
  return new UnreachableError(text || String(code), { cause: error });
}

/** What it means that a PUBLISH or a SUBSCRIBE for these topics was not answered with success. */
export function classifyAnswer(
  error: Error & { code?: unknown; packet?: { granted?: unknown[] } },
  action: DeniedError['action'],
  topics: readonly string[],
): ClientError {
  const codes = typeof error.code === 'number' ? [error.code] : (error.packet?.granted ?? []);
  const index = codes.findIndex((code) => typeof code === 'number' && code >= 0x80);
  if (index < 0) return new ClosedError(error.message, undefined, error);
  return new DeniedError(action, topics[index] ?? '', Number(codes[index]));
}

/** OpenSSL's one-line errors carry a thread number and source positions: keep the part that says what was wrong. */
function explainTls(message: string, code: string): string {
  const [, reason = message] = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):/.exec(message) ?? [];
  if (/wrong version number|packet length too long/.test(reason)) return 'the server does not speak TLS on this port';
  if (/bad record mac/.test(reason)) return `what came was altered on its way, or is not from the server (${reason})`;
  if (untrusted.test(code)) return `the server's certificate is not issued by a trusted authority (${reason})`;
  return reason;
}
