import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Client, PublishOptions } from '@moat/client';
import type { Command } from 'commander';
import {
  addBrokerOptions,
  addSessionOptions,
  type BrokerOptions,
  type SessionOptions,
} from '../connection/broker-options.js';
import { splitLines } from '../connection/lines.js';
import { asCommandErrors, openClient } from '../connection/open-client.js';
import { parseProperties } from '../connection/properties.js';
import { resolveSession } from '../connection/resolve.js';
import { usageError } from '../failure.js';
import { examples } from '../help.js';

interface PubOptions extends BrokerOptions, SessionOptions {
  readonly topic: string;
  readonly message?: string;
  readonly file?: string;
  readonly stdinLine?: true;
  readonly nullMessage?: true;
  readonly retain?: true;
}

/** Messages that may wait for their acknowledgement while the next lines are read. */
const window = 100;

export function definePub(command: Command): void {
  command
    .requiredOption('-t, --topic <topic>', 'where to publish')
    .option('-m, --message <text>', 'the payload')
    .option('-f, --file <file>', 'take the payload from a file; - is standard input')
    .option('-l, --stdin-line', 'publish each line of standard input')
    .option('-n, --null-message', 'an empty payload; with -r it removes what is retained')
    .option('-r, --retain', 'the broker keeps the message for later subscribers');
  addSessionOptions(addBrokerOptions(command))
    .addHelpText(
      'after',
      examples(
        "moat pub -u admin -t devices/pump-7/speed -m '1200' -q 1",
        'moat pub --connection pump-7/connection.json -t devices/pump-7/log -l < log.txt',
        "moat pub --url mqtts://broker.example.com -u me -t a/b -m '{}' -D publish content-type application/json",
      ),
    )
    .action((options: PubOptions) => asCommandErrors(() => publish(options)));
}

async function publish(options: PubOptions): Promise<void> {
  const payloads = payloadsOf(options);
  const { publish: properties } = parseProperties(options.property ?? []);
  const client = await openClient(await resolveSession(options), options.quiet ?? false);
  try {
    const how = { qos: options.qos, retain: options.retain ?? false, properties };
    await publishAll(client, options.topic, payloads, how);
  } finally {
    await client.close();
  }
}

/** In order; the first that is denied is the last that is sent. */
async function publishAll(
  client: Client,
  topic: string,
  payloads: AsyncIterable<string | Buffer>,
  options: PublishOptions,
): Promise<void> {
  const waiting = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const payload of payloads) {
    const sent: Promise<void> = client
      .publish(topic, payload, options)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => waiting.delete(sent));
    waiting.add(sent);
    if (waiting.size >= window) await Promise.race(waiting);
    if (failures.length > 0) break;
  }
  await Promise.all(waiting);
  if (failures.length > 0) throw failures[0];
}

function payloadsOf(options: PubOptions): AsyncIterable<string | Buffer> {
  const { message, file, stdinLine, nullMessage } = options;
  const sources = [message, file, stdinLine, nullMessage].filter((source) => source !== undefined);
  if (sources.length !== 1) throw usageError('give exactly one of -m, -f, -l and -n');
  if (stdinLine) return splitLines(process.stdin);
  if (file !== undefined) return single(() => (file === '-' ? buffer(process.stdin) : readFile(file)));
  return single(async () => message ?? '');
}

async function* single(payload: () => Promise<string | Buffer>): AsyncGenerator<string | Buffer> {
  yield await payload();
}
