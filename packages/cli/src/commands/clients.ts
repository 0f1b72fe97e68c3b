import type { ClientInfo } from '@moat/broker';
import type { Command } from 'commander';
import { askBroker } from '../admin-socket.js';
import { CommandError } from '../failure.js';
import { examples } from '../help.js';
import type { ConfigurationOptions } from '../local-broker.js';
import { formatPairs, formatTable } from '../output/table.js';
import { formatDuration } from '../output/units.js';
import { subcommand } from '../subcommand.js';

interface ClientOptions extends ConfigurationOptions {
  readonly json?: true;
}

export function defineClients(command: Command): void {
  command.addHelpText('after', examples('moat clients list', 'moat clients disconnect pump-7'));
  subcommand(command, 'list', 'list connected clients')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat clients list', 'moat clients list --json | jq -r .[].address'))
    .action(list);
  subcommand(command, 'show <client-id>', 'show a connected client')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat clients show pump-7'))
    .action(show);
  subcommand(command, 'disconnect <client-id>', 'end the connection of a client; its session stays')
    .addHelpText('after', examples('moat clients disconnect pump-7'))
    .action(disconnect);
}

async function list(options: ClientOptions): Promise<void> {
  const clients = await askBroker<ClientInfo[]>(options, 'GET', '/clients');
  if (options.json) return console.log(JSON.stringify(clients, undefined, 2));
  const rows = clients.map((client) => [
    client.clientId,
    client.username ?? '-',
    client.method,
    client.address,
    client.listener,
    client.version,
    ageOf(client),
  ]);
  console.log(formatTable(['CLIENT ID', 'USER', 'BY', 'ADDRESS', 'LISTENER', 'MQTT', 'FOR'], rows));
}

async function show(clientId: string, options: ClientOptions): Promise<void> {
  const clients = await askBroker<ClientInfo[]>(options, 'GET', '/clients');
  const client = clients.find((each) => each.clientId === clientId);
  if (client === undefined) throw new CommandError(1, `no client ${clientId} is connected`);
  if (options.json) return console.log(JSON.stringify(client, undefined, 2));
  const { username, method, address, port, listener, version, keepAlive } = client;
  console.log(
    formatPairs([
      ['client ID', clientId],
      ['user', username === undefined ? 'anonymous' : `${username} (by ${method})`],
      ['address', `${address}, port ${port}`],
      ['listener', listener],
      ['MQTT', version],
      ['keep-alive', keepAlive === 0 ? 'none' : formatDuration(keepAlive)],
      ['connected for', ageOf(client)],
    ]),
  );
}

async function disconnect(clientId: string, options: ConfigurationOptions): Promise<void> {
  await askBroker(options, 'POST', '/clients/disconnect', { client_id: clientId });
  console.log(`disconnected ${clientId}`);
}

function ageOf({ since }: ClientInfo): string {
  return formatDuration((Date.now() - since) / 1000);
}
