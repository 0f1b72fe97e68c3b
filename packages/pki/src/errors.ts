/**
 * Every error of this package, by its stable code, with the exit code of a command that meets it:
 * 1 the operation failed, 2 something was written wrongly.
 */
export const pkiErrors = {
  'pki.invalid_name': 2,
  'pki.invalid_host': 2,
  'pki.invalid_days': 2,
  'pki.invalid_file': 2,
  'pki.invalid_request': 2,
  'pki.unsupported_key': 2,
  'pki.passphrase': 2,
  'pki.not_found': 1,
  'pki.exists': 1,
  'pki.name_taken': 1,
  'pki.name_refused': 1,
  'pki.invite_refused': 1,
  'pki.unknown_certificate': 1,
  'pki.authority_expired': 1,
} as const;

export type PkiErrorCode = keyof typeof pkiErrors;

/** The one error that this package throws on purpose; errors of the file system pass as they are. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
  readonly code: PkiErrorCode;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(code: PkiErrorCode, message: string, more: { hint?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.hint = more.hint;
  }

  get exitCode(): 1 | 2 {
    return pkiErrors[this.code];
  }
}
