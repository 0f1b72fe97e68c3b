import { z } from 'zod';
import { requestOf } from './request.js';
import type { AdminRoute } from './route.js';

/** The client certificates in use, as far as this room has to know them. */
export interface Certificates {
  /** Reads revocation lists again, then ends the connections of these certificates; answers how many. */
  revoked(fingerprints: ReadonlySet<string>): Promise<number>;
}

const revocation = z.strictObject({ fingerprints: z.array(z.string().regex(/^[0-9a-f]{64}$/)) });

/** Telling a broker at once what the authority has revoked. */
export function certificateRoutes(certificates: Certificates): AdminRoute[] {
  return [
    {
      method: 'POST',
      path: '/certificates/revoked',
      handle: async ({ body }) => {
        const { fingerprints } = requestOf(revocation, body);
        return { disconnected: await certificates.revoked(new Set(fingerprints)) };
      },
    },
  ];
}
