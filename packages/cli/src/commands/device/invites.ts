import { DeviceDesk, type ListedInvite, problemOf } from '@moat/pki';
import type { ConfigurationOptions } from '../../local-broker.js';
import { formatTable } from '../../output/table.js';
import { authorityOf } from './authority.js';

interface ListOptions extends ConfigurationOptions {
  readonly json?: true;
}

export async function listInvites(options: ListOptions): Promise<void> {
  const { store } = await authorityOf(options);
  const now = new Date();
  const invites = (await new DeviceDesk(store).invites.list()).map((one) => ({
    ...shown(one),
    state: stateOf(one, now),
  }));
  if (options.json) return console.log(JSON.stringify(invites, undefined, 2));
  const rows = invites.map(({ id, names, kind, state, devices, count, expires }) => {
    return [id, names, kind, state, `${devices.length}/${count}`, expires.toISOString().slice(0, 16)];
  });
  console.log(formatTable(['ID', 'NAMES', 'BY', 'STATE', 'USED', 'UNTIL'], rows));
}

export async function withdrawInvite(id: string, options: ConfigurationOptions): Promise<void> {
  const { store } = await authorityOf(options);
  await new DeviceDesk(store).invites.withdraw(id, new Date());
  console.log(`nobody can use the invite ${id} any more`);
}

/** Without its proof: a hash is nobody's to see either. */
function shown({ id, names, count, expires, spent, proof }: ListedInvite) {
  return { id, names, kind: 'token' in proof ? 'token' : 'certificate', count, expires, devices: [...spent.keys()] };
}

function stateOf(invite: ListedInvite, now: Date): 'open' | 'spent' | 'withdrawn' | 'expired' {
  if (invite.withdrawn) return 'withdrawn';
  if (problemOf(invite, now) !== undefined) return 'expired';
  return invite.spent.size >= invite.count ? 'spent' : 'open';
}
