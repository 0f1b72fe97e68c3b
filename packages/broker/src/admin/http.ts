import { chmod, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { OperatorError, OperatorErrors } from '../errors.js';
import type { AdminRoute } from './route.js';

/** Where the admin interface listens: a Unix socket, and a loopback address if the operator wants one. */
export interface AdminOptions {
  /** Path of the socket; only its owner may use it. */
  readonly socket: string;
  readonly http: 'off' | { readonly host: string; readonly port: number };
}

/** Bytes of a request: a policy is the largest thing that is sent. */
const maxBody = 67_108_864;

/** The admin interface: HTTP that is read by the commands of `moat` and by people's scripts. */
export class AdminServer {
  private constructor(
    private readonly servers: readonly FastifyInstance[],
    private readonly socket: string,
  ) {}

  /** @throws OperatorError `listener.cannot_bind` */
  static async start(options: AdminOptions, routes: readonly AdminRoute[]): Promise<AdminServer> {
    const servers: FastifyInstance[] = [];
    try {
      const local = await serverOf(routes);
      servers.push(local);
      if (await answers(options.socket)) throw new Error('another broker runs on this data directory');
      // A socket that a killed broker left behind would be in the way.
      await rm(options.socket, { force: true });
      await local.listen({ path: options.socket });
      await chmod(options.socket, 0o600);
      if (options.http !== 'off') {
        // Whoever reaches a loopback port may be any user of this machine, or a page in a browser.
        const tcp = await serverOf(routes.filter((route) => route.open === true));
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

async function serverOf(routes: readonly AdminRoute[]): Promise<FastifyInstance> {
  const { fastify } = await import('fastify');
  const server = fastify({ logger: false, forceCloseConnections: true, bodyLimit: maxBody });
  server.setErrorHandler((error, _request, reply) => {
    const first = error instanceof OperatorErrors ? error.errors[0] : error;
    const status = first instanceof OperatorError ? 409 : ((error as { statusCode?: number }).statusCode ?? 500);
    const other = { code: status < 500 ? 'admin.invalid' : 'internal', hint: undefined };
    const { code, hint } = first instanceof OperatorError ? first : other;
    void reply.status(status).send({ error: (error as Error).message, code, hint });
  });
  for (const { method, path, handle } of routes) {
    server.route({
      method,
      url: path,
      handler: async ({ params, query, body }, reply) => {
        const answer = await handle({
          params: params as Record<string, string>,
          query: query as Record<string, string>,
          body,
        });
        if (answer === undefined) void reply.status(404);
        return answer ?? { error: 'there is none', code: 'not_found' };
      },
    });
  }
  return server;
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
