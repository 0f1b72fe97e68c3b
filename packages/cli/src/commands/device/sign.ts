import { readFile, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { readCertificateRequest } from '@moat/pki';
import { CommandError } from '../../failure.js';
import type { ConfigurationOptions } from '../../local-broker.js';
import { authorityOf, daysOf, type LifeOptions } from './authority.js';

interface SignOptions extends ConfigurationOptions, LifeOptions {
  readonly name: string;
  readonly renew?: true;
  readonly out?: string;
}

export async function signRequest(file: string, options: SignOptions): Promise<void> {
  const { store } = await authorityOf(options);
  const bytes = await (file === '-' ? buffer(process.stdin) : readFile(file)).catch((cause: Error) => {
    throw new CommandError(2, `cannot read the request: ${cause.message}`, { cause });
  });
  const text = bytes.toString('latin1');
  const { name, publicKey } = await readCertificateRequest(text.includes('-----BEGIN') ? text : bytes);
  if (name !== options.name)
    throw new CommandError(1, `the request is for ${JSON.stringify(name)}, not ${JSON.stringify(options.name)}`);
  const terms = { name, days: daysOf(options), now: new Date() };
  const certificate = options.renew
    ? await store.renewDevice(terms, publicKey)
    : await store.certifyDevice(terms, publicKey);
  if (options.out === undefined) process.stdout.write(certificate);
  else await writeFile(options.out, certificate).catch((cause: Error) => printInstead(certificate, cause));
}

/** It is issued: lost, it would stand in the way of the next. */
function printInstead(certificate: string, cause: Error): never {
  process.stdout.write(certificate);
  throw new CommandError(1, `cannot write the certificate, so it is printed: ${cause.message}`, { cause });
}
