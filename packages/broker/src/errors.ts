/** A place in a file that a person wrote; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Every error that an operator can meet, by its stable code, with the exit code of the command that meets it:
 * 1 the system refused, 2 something was written wrongly (contract: exit codes).
 */
export const operatorErrors = {
  'config.syntax': 2,
  'config.unknown_key': 2,
  'config.invalid_value': 2,
  'config.unreadable': 2,
  'config.missing_secret': 2,
  'config.unsafe': 2,
  'passwords.invalid': 2,
  'passwords.locked': 1,
  'policy.invalid': 2,
  'policy.shadowed': 1,
  'tls.invalid': 2,
  'listener.port_in_use': 1,
  'listener.cannot_bind': 1,
  'data_dir.unusable': 1,
  'bans.invalid': 2,
  'bans.refused': 1,
  'admin.invalid': 1,
  'admin.not_found': 1,
  'store.busy': 1,
  'store.in_memory': 1,
  'store.in_use': 1,
  'store.damaged': 1,
  'store.foreign': 1,
  'store.newer': 1,
} as const;

export type OperatorErrorCode = keyof typeof operatorErrors;

/**
 * Something that the operator wrote or the system refuses: one line that says what, where and what to do.
 * Thrown while loading and starting; shown by the command line as `file:line:column: message` and the hint.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: OperatorErrorCode;
  readonly place: Place | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(code: OperatorErrorCode, message: string, more: { place?: Place; hint?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.place = more.place;
    this.hint = more.hint;
  }

  get exitCode(): 1 | 2 {
    return operatorErrors[this.code];
  }

  /** The line shown to a person. */
  override toString(): string {
    const where = this.place ? `${this.place.file}:${this.place.line}:${this.place.column}: ` : '';
    return `${where}${this.message}${this.hint ? ` (${this.hint})` : ''}`;
  }
}

/** Every mistake found in one file, so that the operator mends them in one go. Thrown while loading. */
export class OperatorErrors extends Error {
  override readonly name = 'OperatorErrors';
  /** At least one, in the order of the file. */
  readonly errors: readonly OperatorError[];

  constructor(errors: readonly OperatorError[]) {
    super(errors.map(String).join('\n'));
    this.errors = errors;
  }

  /** The exit code of the command that meets them. */
  get exitCode(): 1 | 2 {
    return this.errors.every((error) => error.exitCode === 1) ? 1 : 2;
  }

  /** One line for each. */
  override toString(): string {
    return this.message;
  }
}
