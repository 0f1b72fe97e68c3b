import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Issued {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority of openssl's making, with its files in `directory`. */
export async function makeAuthority(directory: string, name: string): Promise<Issued> {
  return request(directory, name, ['-addext', 'basicConstraints=critical,CA:TRUE']);
}

/** A certificate of that authority; `names` as in `DNS:localhost,IP:127.0.0.1`. */
export async function issue(directory: string, ca: Issued, name: string, names: string): Promise<Issued> {
  const extensions = ['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE'];
  return request(directory, name, ['-CA', ca.certFile, '-CAkey', ca.keyFile, ...extensions]);
}

async function request(directory: string, name: string, more: readonly string[]): Promise<Issued> {
  const certFile = join(directory, `${name}.crt`);
  const keyFile = join(directory, `${name}.key`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile, '-out', certFile];
  await run('openssl', ['req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...key, ...more]);
  return { certFile, keyFile, cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}
