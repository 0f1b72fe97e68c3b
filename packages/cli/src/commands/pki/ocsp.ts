import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { OcspResponder, ocspSource } from '@moat/pki';
import { InvalidArgumentError } from 'commander';
import { type ConfigurationOptions, findConfiguration } from '../../local-broker.js';
import { portNumber } from '../../parse-argument.js';
import { authorityOf } from '../device/authority.js';

interface Bind {
  readonly host: string;
  readonly port: number;
}

interface OcspOptions extends ConfigurationOptions {
  readonly bind: Bind;
  /** Minutes. */
  readonly valid: number;
}

/** A request about a few certificates takes some hundred octets. */
const longestRequest = 16_384;

export function parseBind(text: string): Bind {
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:]+)):(?<port>\d+)$/.exec(text)?.groups;
  if (parts === undefined) throw new InvalidArgumentError('It must be an address and a port, such as 127.0.0.1:8888.');
  const { v6, name = '', port = '' } = parts;
  return { host: v6 ?? name, port: port === '0' ? 0 : portNumber(port) };
}

/** Serves RFC 6960 appendix A: the request in the body of a POST, or in the path of a GET. */
export async function respond(options: OcspOptions): Promise<void> {
  const { configuration } = await findConfiguration(options);
  const directory = join(configuration.data_dir, 'pki');
  const source = await ocspSource(directory, async () => (await authorityOf(options)).store);
  const validity = options.valid * 60_000;
  const responder = new OcspResponder(source, validity);
  const server = createServer({ requestTimeout: 10_000 }, async (request, response) => {
    const bytes = await requestIn(request).catch(() => undefined);
    if (bytes === undefined) return void response.writeHead(400, { connection: 'close' }).end();
    const answer = await responder.answer(bytes, new Date());
    response.writeHead(200, { 'content-type': 'application/ocsp-response', 'content-length': answer.length });
    response.end(answer);
  });
  server.listen(options.bind.port, options.bind.host);
  await once(server, 'listening');
  const { address, port, family } = server.address() as AddressInfo;
  // Before anybody can see that it answers, and send a signal.
  const signalled = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  console.log(`answering at http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`);
  await signalled;
  server.close();
  server.closeAllConnections();
}

/** Undefined when it is none. */
async function requestIn(request: IncomingMessage): Promise<Buffer | undefined> {
  if (request.method === 'GET') {
    const text = decodeURIComponent((request.url ?? '').replace(/^\/+/, ''));
    return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
  }
  if (request.method !== 'POST') return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longestRequest) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
