import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../errors.js';
import type { Maintenance } from '../storage/maintenance.js';
import type { Store } from '../storage/store.js';
import { requestOf } from './request.js';
import type { AdminRoute } from './route.js';

const backupRequest = z.object({ directory: z.string().refine(isAbsolute) });

/** Looking after the store of a running broker. */
export function storeRoutes(store: Store): AdminRoute[] {
  return [
    { method: 'GET', path: '/store', handle: () => maintenanceOf(store).stats() },
    { method: 'POST', path: '/store/compact', handle: () => maintenanceOf(store).compact() },
    {
      method: 'POST',
      path: '/store/backup',
      handle: async ({ body }) => {
        await maintenanceOf(store).backup(requestOf(backupRequest, body).directory);
        return {};
      },
    },
  ];
}

function maintenanceOf({ maintenance }: Store): Maintenance {
  if (maintenance !== undefined) return maintenance;
  throw new OperatorError('store.in_memory', 'this broker keeps its state in memory only', {
    hint: 'storage.engine: lmdb keeps it on disk',
  });
}
