import { mkdir } from 'node:fs/promises';
import { OperatorError } from '../errors.js';

/** Makes the data directory when it is not there, for its owner alone. @throws OperatorError `data_dir.unusable` */
export async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new OperatorError('data_dir.unusable', `cannot make ${directory}: ${(cause as Error).message}`, { cause });
  }
}
