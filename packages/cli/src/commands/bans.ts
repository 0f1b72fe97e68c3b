import type { BanInfo } from '@moat/broker';
import type { Command } from 'commander';
import { askBroker } from '../admin-socket.js';
import { CommandError } from '../failure.js';
import { examples } from '../help.js';
import type { ConfigurationOptions } from '../local-broker.js';
import { formatTable } from '../output/table.js';
import { formatDuration } from '../output/units.js';
import { durationArgument } from '../parse-argument.js';
import { subcommand } from '../subcommand.js';

interface Target extends ConfigurationOptions {
  readonly address?: string;
  readonly user?: string;
  readonly clientId?: string;
}

interface AddOptions extends Target {
  readonly for?: number;
  readonly reason?: string;
}

const notes = `
A ban holds until it is removed, or as long as --for says, and outlives the broker. Connections that it is about end at once.
What the broker locks out by itself, after too many failures, is in the list too, and ends by itself.`;

export function defineBans(command: Command): void {
  command.addHelpText('after', examples('moat bans list', 'moat bans add --address 192.0.2.0/24 --for 7d'));
  subcommand(command, 'list', 'list who is banned or locked out')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat bans list', 'moat bans list --json | jq -r .[].what'))
    .action(list);
  addTarget(subcommand(command, 'add', 'ban an address, a network, a user or a client ID'))
    .option('--for <duration>', 'how long, such as 90s, 12h, 7d; without it until the ban is removed', durationArgument)
    .option('--reason <text>', 'why, for whoever reads the list later')
    .addHelpText(
      'after',
      `${notes}\n${examples('moat bans add --address 192.0.2.7 --for 1d --reason scanning', 'moat bans add --user pump-7')}`,
    )
    .action(add);
  addTarget(subcommand(command, 'remove', 'lift a ban, or the lock-out of an address'))
    .addHelpText('after', examples('moat bans remove --address 192.0.2.7', 'moat bans remove --client-id pump-7:app'))
    .action(remove);
}

function addTarget(command: Command): Command {
  return command
    .option('--address <address>', 'an IP address, or a range such as 192.0.2.0/24 or 2001:db8::/64')
    .option('--user <name>', 'a user name')
    .option('--client-id <id>', 'a client ID');
}

async function list(options: ConfigurationOptions & { readonly json?: true }): Promise<void> {
  const bans = await askBroker<BanInfo[]>(options, 'GET', '/bans');
  if (options.json) return console.log(JSON.stringify(bans, undefined, 2));
  const rows = bans.map(({ kind, what, reason, until, automatic }) => [
    kind === 'pair' ? 'address and user' : kind,
    what,
    until === undefined ? 'until removed' : formatDuration((until - Date.now()) / 1000),
    automatic ? 'the broker' : 'operator',
    reason,
  ]);
  console.log(formatTable(['KIND', 'WHO', 'FOR', 'BY', 'REASON'], rows));
}

async function add(options: AddOptions): Promise<void> {
  const target = targetOf(options);
  const body = { ...target, reason: options.reason, seconds: options.for };
  const { disconnected } = await askBroker<{ disconnected: number }>(options, 'POST', '/bans', body);
  console.log(`banned ${target.what}; ${disconnected} connections ended`);
}

async function remove(options: Target): Promise<void> {
  const target = targetOf(options);
  await askBroker(options, 'POST', '/bans/remove', target);
  console.log(`lifted the ban of ${target.what}`);
}

function targetOf({ address, user, clientId }: Target): { readonly kind: BanInfo['kind']; readonly what: string } {
  const given = [
    { kind: 'address' as const, what: address },
    { kind: 'username' as const, what: user },
    { kind: 'clientid' as const, what: clientId },
  ].filter((each): each is { kind: 'address' | 'username' | 'clientid'; what: string } => each.what !== undefined);
  const [target, ...more] = given;
  if (target === undefined || more.length > 0)
    throw new CommandError(2, 'say who: one of --address, --user and --client-id');
  return target;
}
