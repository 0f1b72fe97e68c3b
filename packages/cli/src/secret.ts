import { readFile } from 'node:fs/promises';
import { CommandError } from './failure.js';

/**
 * A secret that an option refers to, so that it stands in no list of processes: `env:NAME` is a variable of the
 * environment, `file:PATH` the content of a file less its last line break.
 *
 * @throws CommandError 2 if it is neither, or not there
 */
export async function readSecret(reference: string, environment = process.env): Promise<string> {
  const [, kind, name = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  if (kind === undefined)
    throw new CommandError(2, 'a secret must not stand on the command line', { hint: 'give env:NAME or file:PATH' });
  const secret = kind === 'env' ? environment[name] : (await readFileOf(name)).replace(/\r?\n$/, '');
  if (!secret) throw new CommandError(2, `${kind === 'env' ? `the variable ${name}` : name} is empty or not there`);
  return secret;
}

async function readFileOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new CommandError(2, `cannot read the secret: ${cause.message}`, { cause });
  });
}
