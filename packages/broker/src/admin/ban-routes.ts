import { z } from 'zod';
import type { Audit } from '../audit/audit.js';
import { type Ban, type Bans, banKinds } from '../guard/bans.js';
import type { LockOut } from '../guard/lock-out.js';
import { requestOf } from './request.js';
import type { AdminRoute } from './route.js';

/** A ban, or what the broker has locked out by itself. Times in wall-clock milliseconds. */
export interface BanInfo {
  readonly kind: Ban['kind'] | 'pair';
  readonly what: string;
  readonly reason: string;
  readonly until?: number | undefined;
  /** Whether the broker did it, and forgets it when it ends or is restarted. */
  readonly automatic: boolean;
}

const target = { kind: z.enum(banKinds), what: z.string().min(1).max(1_024) };
const addition = z.strictObject({
  ...target,
  reason: z.string().max(1_024).default('by the operator'),
  /** Seconds; left out: until it is removed. */
  seconds: z.number().positive().optional(),
});
const removal = z.strictObject(target);

/** What the routes act on. */
export interface BanRoom {
  readonly bans: Bans;
  readonly lockOut: LockOut;
  readonly audit: Audit;
  /** Ends the connections that a new ban is about, and tells how many. */
  end(ban: Ban): number;
}

/** Listing, adding and removing bans. */
export function banRoutes({ bans, lockOut, audit, end }: BanRoom): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/bans',
      handle: (): BanInfo[] => {
        const now = Date.now();
        const locked = [...lockOut.locked(now)];
        return [
          ...bans.list(now).map(({ kind, what, reason, until }) => ({ kind, what, reason, until, automatic: false })),
          ...locked.map((each): BanInfo => ({ ...each, reason: 'too many failures', automatic: true })),
        ];
      },
    },
    {
      method: 'POST',
      path: '/bans',
      handle: async ({ body }) => {
        const { seconds, ...given } = requestOf(addition, body);
        const since = Date.now();
        const ban: Ban = { ...given, since, ...(seconds === undefined ? {} : { until: since + seconds * 1000 }) };
        await bans.add(ban);
        audit.record('ban.added', { ...fieldsOf(ban), reason: ban.reason });
        return { disconnected: end(ban) };
      },
    },
    {
      method: 'POST',
      path: '/bans/remove',
      handle: async ({ body }) => {
        const ban = requestOf(removal, body);
        const unlocked = ban.kind === 'address' && lockOut.unlock(ban.what, Date.now());
        if (!(await bans.remove(ban)) && !unlocked) return undefined;
        audit.record('ban.removed', fieldsOf(ban));
        return {};
      },
    },
  ];
}

function fieldsOf({ kind, what }: Pick<Ban, 'kind' | 'what'>) {
  return { [{ address: 'address', username: 'username', clientid: 'clientId' }[kind]]: what };
}
