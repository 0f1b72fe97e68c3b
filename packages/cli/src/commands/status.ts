import { isIPv6 } from 'node:net';
import type { Status } from '@moat/broker';
import type { Command } from 'commander';
import { askBroker } from '../admin-socket.js';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions } from '../local-broker.js';
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
      const status = await askBroker<Status>(options, 'GET', '/status');
      console.log(options.json ? JSON.stringify(status, undefined, 2) : formatStatus(status));
    });
}

function formatStatus(status: Status): string {
  const { traffic, retained, dropped, limitHits, events, listeners } = status;
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
    ...(status.storageFailure === undefined ? [] : [['storage', `failing: ${status.storageFailure}`] as const]),
    ['received', `${traffic.messagesReceived} messages, ${formatBytes(traffic.bytesReceived)}`],
    ['sent', `${traffic.messagesSent} messages, ${formatBytes(traffic.bytesSent)}`],
    ['dropped', counts(dropped)],
    ['limits met', counts(limitHits)],
    ['memory', formatBytes(status.memory.rss)],
    ['overload', status.guard.overload.steps.join(', ') || 'none'],
    ['events', counts(events)],
  ]);
}

/** Those that have counted something. */
function counts(counters: object): string {
  const counted = Object.entries(counters).filter(([, count]) => count !== 0);
  return counted.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}
