import { PkiError, type PkiErrorCode } from '@moat/pki';

/** For `assert.throws` and `assert.rejects`: the error is this package's, with this code. */
export function pkiError(code: PkiErrorCode, message = /./): (error: unknown) => boolean {
  return (error) => error instanceof PkiError && error.code === code && message.test(error.message);
}
