import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { SessionDetails, SessionSummary } from '@moat/broker';
import { type Command, Option } from 'commander';
import { askBroker, callBroker, longPatience } from '../admin-socket.js';
import { CommandError } from '../failure.js';
import { examples } from '../help.js';
import type { ConfigurationOptions } from '../local-broker.js';
import { ask } from '../output/ask.js';
import { listing } from '../output/listing.js';
import { formatPairs } from '../output/table.js';
import { formatBytes, formatDuration } from '../output/units.js';
import { durationArgument, integer } from '../parse-argument.js';
import { subcommand } from '../subcommand.js';

interface Filters extends ConfigurationOptions {
  readonly clientId?: string;
  readonly owner?: string;
  readonly connected?: true;
  readonly disconnected?: true;
  readonly idleLonger?: number;
  readonly minQueued?: number;
  readonly json?: true;
}

interface DeleteOptions extends Filters {
  readonly yes?: true;
}

const forEver = 0xffff_ffff;

export function defineSessions(command: Command): void {
  command.addHelpText('after', examples('moat sessions list --disconnected', 'moat sessions show pump-7'));
  addFilters(subcommand(command, 'list', 'list sessions, connected or not'))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat sessions list', "moat sessions list --client-id 'pump-*' --idle-longer 7d"))
    .action(list);
  subcommand(command, 'show <client-id>', 'show all that is known of a session')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat sessions show pump-7'))
    .action(show);
  subcommand(command, 'export <client-id>', 'print the messages that wait for a client, as JSON lines')
    .addHelpText(
      'after',
      `
Payloads are in base64. Nothing is taken out of the queue.
${examples('moat sessions export pump-7 > pump-7.jsonl', "moat sessions export pump-7 | jq -r '.payload | @base64d'")}`,
    )
    .action(exportQueue);
  addFilters(subcommand(command, 'delete [client-id]', 'end a session for good, or all that match'))
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Its subscriptions and the messages that wait for it go with it. A client that is connected is disconnected.
${examples('moat sessions delete pump-7', 'moat sessions delete --disconnected --idle-longer 30d --yes')}`,
    )
    .action(remove);
}

function addFilters(command: Command): Command {
  return command
    .option('--client-id <glob>', 'only those whose client ID is like this: * is any characters, ? is one')
    .option('--owner <name>', 'only those of this user')
    .addOption(new Option('--connected', 'only those with a connection').conflicts('disconnected'))
    .option('--disconnected', 'only those without')
    .option(
      '--idle-longer <duration>',
      'only those without a connection for longer, such as 90s, 12h, 7d',
      durationArgument,
    )
    .option(
      '--min-queued <n>',
      'only those for which at least so many messages wait',
      integer(0, Number.MAX_SAFE_INTEGER),
    );
}

async function list(options: Filters): Promise<void> {
  const rows = listing(
    ['CLIENT ID', 'OWNER', 'STATE', 'SUBSCRIPTIONS', 'QUEUED', 'BYTES', 'IN FLIGHT', 'LIVES ON FOR'],
    options.json === true,
    (session: SessionSummary) => [
      session.clientId,
      session.owner,
      stateOf(session),
      String(session.subscriptions),
      String(session.queued),
      formatBytes(session.queuedBytes),
      String(session.inFlight),
      lifeOf(session),
    ],
  );
  for await (const session of matching(options)) rows.add(session);
  rows.end();
}

async function show(clientId: string, options: Filters): Promise<void> {
  const session = await askBroker<SessionDetails>(options, 'GET', pathOf('/session', clientId));
  if (options.json) return console.log(JSON.stringify(session, undefined, 2));
  const { owner, subscriptions, queued, queuedBytes, inFlight, received, will, filters, stored } = session;
  console.log(
    formatPairs([
      ['client ID', clientId],
      ['owner', owner],
      ['state', stateOf(session)],
      ['lives on for', lifeOf(session)],
      ['outlives the broker', stored ? 'yes' : 'no'],
      ['queued', `${queued} messages, ${formatBytes(queuedBytes)}`],
      ['in flight', `${inFlight} to the client, ${received} from it`],
      ['will', will === undefined ? 'none' : `${will.topic}, QoS ${will.qos}, after ${formatDuration(will.delay)}`],
      ['subscriptions', String(subscriptions)],
      ...filters.map(({ filter, qos }) => ['', `${filter} (QoS ${qos})`] as const),
    ]),
  );
}

async function exportQueue(clientId: string, options: ConfigurationOptions): Promise<void> {
  const response = await callBroker(options, 'GET', pathOf('/session/queue', clientId));
  await pipeline(response, process.stdout, { end: false });
}

async function remove(clientId: string | undefined, options: DeleteOptions): Promise<void> {
  if (clientId !== undefined && queryOf(options) !== '')
    throw new CommandError(2, 'name a client ID, or say which sessions by a filter, not both');
  const doomed = clientId === undefined ? await clientIdsOf(options) : [clientId];
  if (doomed.length === 0) return console.log('no session matches');
  if (!options.yes && !(await ask(`Delete ${inWords(doomed)}, with all messages that wait?`)))
    throw new CommandError(1, 'nothing was deleted');
  if (clientId !== undefined) {
    await askBroker(options, 'DELETE', pathOf('/session', clientId), undefined, longPatience);
    return console.log(`deleted the session ${clientId}`);
  }
  const path = `/sessions?${queryOf(options)}`;
  const { deleted } = await askBroker<{ deleted: number }>(options, 'DELETE', path, undefined, longPatience);
  console.log(`deleted ${deleted === doomed.length ? inWords(doomed) : `${deleted} sessions`}`);
}

function inWords(clientIds: readonly string[]): string {
  return clientIds.length === 1 ? `the session ${clientIds[0]}` : `${clientIds.length} sessions`;
}

/** Of those that match; all of them only if that was said in so many words. */
async function clientIdsOf(options: DeleteOptions): Promise<string[]> {
  if (queryOf(options) === '')
    throw new CommandError(2, 'name a client ID, or say which sessions by a filter', { hint: "all: --client-id '*'" });
  const found: string[] = [];
  for await (const { clientId } of matching(options)) found.push(clientId);
  return found;
}

async function* matching(options: Filters): AsyncGenerator<SessionSummary> {
  const response = await callBroker(options, 'GET', `/sessions?${queryOf(options)}`);
  for await (const line of createInterface(response)) yield JSON.parse(line) as SessionSummary;
}

function queryOf({ clientId, owner, connected, disconnected, idleLonger, minQueued }: Filters): string {
  const given = {
    client_id: clientId,
    owner,
    connected: connected ? 'true' : disconnected && 'false',
    idle: idleLonger,
    queued: minQueued,
  };
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(given)) if (value !== undefined) query.set(key, String(value));
  return query.toString();
}

function pathOf(path: string, clientId: string): string {
  return `${path}?${new URLSearchParams({ client_id: clientId })}`;
}

function stateOf({ connected, disconnectedAt = 0 }: SessionSummary): string {
  return connected ? 'connected' : `gone for ${formatDuration((Date.now() - disconnectedAt) / 1000)}`;
}

function lifeOf({ connected, disconnectedAt = 0, expiryInterval }: SessionSummary): string {
  if (expiryInterval === forEver) return 'ever';
  const left = connected ? expiryInterval : expiryInterval - (Date.now() - disconnectedAt) / 1000;
  return formatDuration(Math.max(0, left));
}
