import { once } from 'node:events';
import type { Client, ConnectOptions, Message } from '@moat/client';
import type { Command } from 'commander';
import {
  addBrokerOptions,
  addSessionOptions,
  type BrokerOptions,
  type SessionOptions,
} from '../connection/broker-options.js';
import { asCommandErrors, openClient } from '../connection/open-client.js';
import { parseProperties } from '../connection/properties.js';
import { resolveSession } from '../connection/resolve.js';
import { CommandError, usageError } from '../failure.js';
import { examples } from '../help.js';
import { type Format, formatMessage } from '../output/message.js';
import { gather, integer, positive } from '../parse-argument.js';

interface SubOptions extends BrokerOptions, SessionOptions {
  readonly topic: string[];
  readonly verbose?: true;
  readonly format: Format;
  readonly count?: number;
  readonly timeout?: number;
  readonly skipRetained?: true;
  readonly disableCleanSession?: true;
  readonly sessionExpiryInterval?: number;
}

export function defineSub(command: Command): void {
  command
    .requiredOption('-t, --topic <filter>', 'what to subscribe to; may be given several times', gather)
    .option('-v, --verbose', 'print the topic in front of the payload')
    .addOption(
      command
        .createOption('--format <format>', 'text (binary as hexadecimal), json (a line each) or raw bytes')
        .choices(['text', 'json', 'raw'])
        .default('text'),
    )
    .option('-C, --count <n>', 'end after so many messages', integer(1, Number.MAX_SAFE_INTEGER))
    .option('-W, --timeout <seconds>', 'end after so long; with -C it is a failure', positive)
    .option('-R, --skip-retained', 'leave out what was retained before')
    .option('--disable-clean-session', 'take up the session of the client ID (-i), and leave it behind')
    .option(
      '-x, --session-expiry-interval <seconds>',
      'how long the broker keeps that session',
      integer(0, 0xffff_ffff),
    );
  addSessionOptions(addBrokerOptions(command))
    .addHelpText(
      'after',
      examples(
        "moat sub -u admin -v -t 'devices/#'",
        "moat sub -u admin -t 'devices/+/speed' --format json | jq .payload",
        'moat sub --connection pump-7/connection.json -t devices/pump-7/set -C 1 -W 10',
      ),
    )
    .action((options: SubOptions) => asCommandErrors(() => subscribe(options)));
}

async function subscribe(options: SubOptions): Promise<void> {
  const { subscribe: properties } = parseProperties(options.property ?? []);
  const early: Message[] = [];
  const session = { ...(await resolveSession(options)), onUnmatched: (message: Message) => early.push(message) };
  const client = await openClient(persistent(session, options), options.quiet ?? false);
  // Closing ends the loop below; to leave a session behind, its subscriptions must stay, so nothing is unsubscribed.
  const ending = endingOf(client, options.timeout);
  try {
    const subscription = await client.subscribe(options.topic, { qos: options.qos, properties });
    await print(concat(early, subscription), options, () => client.close());
  } finally {
    ending.cancel();
    await client.close();
  }
  if (ending.timedOut && options.count !== undefined) {
    throw new CommandError(1, `fewer than ${options.count} messages came in ${options.timeout} s`);
  }
}

/** Prints until no more come or there were enough; waits while the reader of standard output is behind. */
async function print(messages: AsyncIterable<Message>, options: SubOptions, close: () => Promise<void>): Promise<void> {
  const terminal = process.stdout.isTTY === true;
  const style = { format: options.format, verbose: options.verbose ?? false, terminal };
  let printed = 0;
  for await (const message of messages) {
    if (options.skipRetained && message.retain) continue;
    if (!process.stdout.write(formatMessage(message, new Date(), style))) await once(process.stdout, 'drain');
    printed += 1;
    if (printed !== options.count) continue;
    await close();
    break;
  }
}

/** With the session that is wanted: of before, kept for after, or both. */
function persistent(session: ConnectOptions, options: SubOptions): ConnectOptions {
  const { id, disableCleanSession, sessionExpiryInterval: wanted } = options;
  if (!disableCleanSession && wanted === undefined) return session;
  if (id === undefined) throw usageError('--disable-clean-session and -x need -i: a session belongs to a client ID');
  if (wanted !== undefined && session.protocolVersion !== '5')
    throw usageError('-x needs MQTT 5.0, and -V says otherwise');
  const properties = { sessionExpiryInterval: wanted ?? 0xffff_ffff, ...session.properties };
  return { ...session, cleanStart: !disableCleanSession, properties };
}

/** Closes the client on a signal, or when the time is over. */
function endingOf(client: Client, seconds: number | undefined): { readonly timedOut: boolean; cancel(): void } {
  const ending = { timedOut: false, cancel };
  const close = () => void client.close();
  const timer = setTimeout(
    () => {
      ending.timedOut = true;
      close();
    },
    Math.min((seconds ?? 0) * 1000, 2 ** 31 - 1),
  );
  if (seconds === undefined) clearTimeout(timer);
  process.once('SIGINT', close).once('SIGTERM', close);
  function cancel(): void {
    clearTimeout(timer);
    process.off('SIGINT', close).off('SIGTERM', close);
  }
  return ending;
}

async function* concat<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* rest;
}
