import { askPassword } from '../connection/ask-password.js';
import { CommandError } from '../failure.js';

const { MOAT_CA_PASSPHRASE: given } = process.env;

/** The passphrase of the authority's key, for those that nobody watches: from `MOAT_CA_PASSPHRASE`. */
export function caPassphrase(): string | undefined {
  return given;
}

/**
 * The same, or else from whoever sits at the terminal.
 *
 * @throws CommandError 2 if there is neither
 */
export async function askCaPassphrase(): Promise<string> {
  if (given !== undefined) return given;
  if (process.stdin.isTTY) return askPassword("Passphrase of the authority's key: ");
  throw new CommandError(2, "the authority's key is encrypted", { hint: 'set MOAT_CA_PASSPHRASE to its passphrase' });
}
