import type { Audit } from '../audit/audit.js';
import type { AdminRoute } from './route.js';

/** The same routes; what alters something is recorded, whether it succeeds or not. */
export function journaled(audit: Audit, routes: readonly AdminRoute[]): AdminRoute[] {
  return routes.map((route) => (route.method === 'GET' ? route : { ...route, handle: recorded(audit, route) }));
}

function recorded(audit: Audit, { method, path, handle }: AdminRoute): AdminRoute['handle'] {
  return async (request) => {
    const { client_id: clientId } = { ...request.query, ...Object(request.body) } as { client_id?: unknown };
    const fields = { action: `${method} ${path}`, ...(typeof clientId === 'string' ? { clientId } : {}) };
    try {
      const answer = await handle(request);
      audit.record('admin.command', fields);
      return answer;
    } catch (error) {
      audit.record('admin.command', { ...fields, reason: (error as Error).message });
      throw error;
    }
  };
}
