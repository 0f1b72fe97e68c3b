import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The server certificate that all brokers of a run share: ECDSA P-256, signed by itself. */
export interface Certificate {
  readonly name: string;
  readonly certfile: string;
  readonly keyfile: string;
  readonly pem: string;
}

/** Makes one with openssl(1). */
export function makeCertificate(directory: string): Certificate {
  const name = 'localhost';
  const certfile = join(directory, 'server.crt');
  const keyfile = join(directory, 'server.key');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyfile];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...names, '-out', certfile], { stdio: 'pipe' });
  return { name, certfile, keyfile, pem: readFileSync(certfile, 'utf8') };
}
