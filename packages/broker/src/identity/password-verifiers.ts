import { createHmac, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Mechanism, mechanisms } from '@moat/scram';
import { OperatorError } from '../errors.js';
import type { PasswordFile } from './password-file.js';
import { makeBelieve, type Verifier } from './scram.js';
import type { Verifiers } from './scram-method.js';

/** The verifiers of a password file, and for everybody else one that is as good to look at. */
export class PasswordVerifiers implements Verifiers {
  /** @param secret from which those of unknown users are derived */
  constructor(
    private readonly passwords: PasswordFile,
    private readonly secret: Buffer,
  ) {}

  verifierOf(username: string, mechanism: Mechanism): { readonly verifier: Verifier; readonly known: boolean } {
    const invented = makeBelieve(mechanism, this.secret, username, this.iterationsFor(username, mechanism));
    const verifier = this.passwords.verifierOf(username, mechanism);
    return verifier === undefined ? { verifier: invented, known: false } : { verifier, known: true };
  }

  /** One of the numbers that the users of the file have; always the same for one name. */
  private iterationsFor(username: string, mechanism: Mechanism): number {
    const choice = this.passwords.iterationsOf(mechanism);
    const drawn = createHmac('sha256', this.secret).update(`iterations ${username}`).digest().readUInt32BE();
    return choice[drawn % choice.length] ?? mechanisms[mechanism].iterations;
  }
}

/**
 * The secret in `scram.key` of the data directory, which is made when it is not there; readable by its owner only.
 * @throws OperatorError `data_dir.unusable`
 */
export async function loadScramSecret(dataDir: string): Promise<Buffer> {
  const path = join(dataDir, 'scram.key');
  try {
    await writeFile(path, randomBytes(32), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, error);
  }
  const secret = await readFile(path).catch((error: unknown) => {
    throw unusable(path, error);
  });
  if (secret.length < 32)
    throw unusable(path, new Error('it holds less than 32 bytes; delete it, and it is made anew'));
  return secret;
}

function unusable(path: string, cause: unknown): OperatorError {
  return new OperatorError('data_dir.unusable', `${path} cannot be used: ${(cause as Error).message}`, { cause });
}
