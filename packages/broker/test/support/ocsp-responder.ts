import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { freePort, run, waitFor } from '@moat/testkit';
import type { ClientIdentity } from './certificates.js';
import type { OpensslAuthority } from './openssl-authority.js';

/** Who signs answers. */
interface Signer {
  readonly file: string;
  readonly keyFile: string;
}

function argumentsFor({ directory }: OpensslAuthority, signer: Signer | undefined, more: readonly string[]): string[] {
  const ca = join(directory, 'ca.crt');
  const { file, keyFile } = signer ?? { file: ca, keyFile: join(directory, 'ca.key') };
  return ['ocsp', '-index', join(directory, 'index.txt'), '-CA', ca, '-rsigner', file, '-rkey', keyFile, ...more];
}

/** The stock `openssl ocsp` that listens itself. It knows what its authority had issued when it began. */
export async function stockResponder(
  authority: OpensslAuthority,
): Promise<{ readonly url: string; readonly stop: () => void }> {
  const port = await freePort();
  const args = [...argumentsFor(authority, undefined, ['-nmin', '5']), '-port', `${port}`];
  const child = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  await waitFor(() => /waiting for OCSP client/i.test(said));
  return { url: `http://127.0.0.1:${port}/`, stop: () => child.kill('SIGKILL') };
}

/** A responder whose answers openssl makes, one by one, from what its authority has issued so far; it counts, and can misbehave. */
export class OcspResponder {
  /** How the next requests are answered. */
  manner: (response: ServerResponse, answer: () => Promise<Buffer>) => unknown = OcspResponder.honest;
  asked = 0;

  private constructor(
    readonly url: string,
    readonly stop: () => void,
  ) {}

  /** @param more options of `openssl ocsp` */
  static async start(
    authority: OpensslAuthority,
    signer?: Signer,
    more: readonly string[] = ['-nmin', '5'],
  ): Promise<OcspResponder> {
    const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const [question, made] = [1, 2].map((kind) => join(authority.directory, `ocsp-${responder.asked}-${kind}`)) as [
        string,
        string,
      ];
      responder.asked++;
      await writeFile(question, await buffer(request));
      await responder.manner(response, async () => {
        const args = [...argumentsFor(authority, signer, more), '-reqin', question, '-respout', made];
        const { code, stderr } = await run('openssl', args);
        if (code !== 0) throw new Error(stderr);
        return readFile(made);
      });
    };
    const server = createServer((request, response) => {
      handle(request, response).catch((error: unknown) => {
        if (server.listening) throw error; // one that was stopped may have lost its files
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const responder = new OcspResponder(`http://127.0.0.1:${(server.address() as AddressInfo).port}/ocsp`, () => {
      server.close();
      server.closeAllConnections();
    });
    return responder;
  }

  static async honest(response: ServerResponse, answer: () => Promise<Buffer>): Promise<void> {
    OcspResponder.send(response, await answer());
  }

  static send(response: ServerResponse, der: Uint8Array, type = 'application/ocsp-response'): void {
    response.writeHead(200, { 'content-type': type }).end(der);
  }
}

/** A certificate of an authority for a responder that answers in its name. */
export function responderCertificate(authority: OpensslAuthority): Promise<ClientIdentity & Signer> {
  return authority.issue({ subject: '/CN=Responder', extensions: ['extendedKeyUsage = OCSPSigning'] });
}
