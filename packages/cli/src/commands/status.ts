import { request } from 'node:http';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Status } from '@moat/broker';
import type { Command } from 'commander';
import { CommandError } from '../failure.js';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { formatPairs } from '../output/table.js';
import { formatBytes, formatDuration } from '../output/units.js';

interface StatusOptions extends ConfigurationOptions {
  readonly json?: true;
}

export function defineStatus(command: Command): void {
  addConfigurationOptions(command)
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat status', 'moat status --json | jq .connections'))
    .action(async (options: StatusOptions) => {
      const { configuration } = await findConfiguration(options);
      const status = await askStatus(join(configuration.data_dir, 'admin.sock'));
      console.log(options.json ? JSON.stringify(status, undefined, 2) : formatStatus(status));
    });
}

/** Asks the broker that runs on this data directory; five seconds are enough for an answer. */
async function askStatus(socketPath: string): Promise<Status> {
  try {
    return await new Promise((resolve, reject) => {
      request({ socketPath, path: '/status', signal: AbortSignal.timeout(5000) }, (response) => {
        if (response.statusCode === 200) resolve(json(response) as Promise<Status>);
        else reject(new Error(`it answered ${response.statusCode}`));
      })
        .on('error', reject)
        .end();
    });
  } catch (error) {
    const message = `no broker answers at ${socketPath}: ${(error as Error).message}`;
    throw new CommandError(3, message, { hint: 'is it running, and is this its data directory?', cause: error });
  }
}

function formatStatus(status: Status): string {
  const { traffic, retained, dropped, events, listeners } = status;
  return formatPairs([
    ['version', `${status.version} (pid ${status.pid})`],
    ['uptime', formatDuration(status.uptime)],
    [
      'listeners',
      listeners
        .map(({ protocol, address, port }) => `${protocol} ${isIPv6(address) ? `[${address}]` : address}:${port}`)
        .join(', '),
    ],
    ['connections', `${status.connections} (at most ${status.connectionsMaximum})`],
    ['sessions', `${status.sessions} (${status.sessionsDisconnected} disconnected)`],
    ['subscriptions', String(status.subscriptions)],
    ['retained', `${retained.messages} messages, ${formatBytes(retained.bytes)}`],
    ['received', `${traffic.messagesReceived} messages, ${formatBytes(traffic.bytesReceived)}`],
    ['sent', `${traffic.messagesSent} messages, ${formatBytes(traffic.bytesSent)}`],
    ['dropped', counts(dropped)],
    ['memory', formatBytes(status.memory.rss)],
    ['events', counts(events)],
  ]);
}

/** Those that have counted something. */
function counts(counters: object): string {
  const counted = Object.entries(counters).filter(([, count]) => count !== 0);
  return counted.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}
