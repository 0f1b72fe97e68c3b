import { chmod, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { OperatorError } from '../errors.js';
import type { Status } from './status.js';

/** Where the admin interface listens: a Unix socket, and a loopback address if the operator wants one. */
export interface AdminOptions {
  /** Path of the socket; only its owner may use it. */
  readonly socket: string;
  readonly http: 'off' | { readonly host: string; readonly port: number };
}

/** The admin interface: HTTP that is read by `moat status` and by people's scripts. */
export class AdminServer {
  private constructor(
    private readonly servers: readonly FastifyInstance[],
    private readonly socket: string,
  ) {}

  /** @throws OperatorError `listener.cannot_bind` */
  static async start(options: AdminOptions, status: () => Status): Promise<AdminServer> {
    const { fastify } = await import('fastify');
    const make = (): FastifyInstance => {
      const server = fastify({ logger: false, forceCloseConnections: true });
      server.get('/status', () => status());
      return server;
    };
    const servers: FastifyInstance[] = [];
    try {
      const local = make();
      servers.push(local);
      if (await answers(options.socket)) throw new Error('another broker runs on this data directory');
      // A socket that a killed broker left behind would be in the way.
      await rm(options.socket, { force: true });
      await local.listen({ path: options.socket });
      await chmod(options.socket, 0o600);
      if (options.http !== 'off') {
        const tcp = make();
        servers.push(tcp);
        await tcp.listen(options.http);
      }
    } catch (cause) {
      await Promise.all(servers.map((server) => server.close()));
      throw new OperatorError('listener.cannot_bind', `cannot open the admin interface: ${(cause as Error).message}`, {
        cause,
      });
    }
    return new AdminServer(servers, options.socket);
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
    await rm(this.socket, { force: true });
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
}
