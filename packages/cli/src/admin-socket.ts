import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { CommandError } from './failure.js';
import { type ConfigurationOptions, findConfiguration } from './local-broker.js';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A broker that says nothing for so long is given up, in milliseconds. */
const patience = 30_000;
/** The same where it has much to do first. */
export const longPatience = 3_600_000;

/**
 * Asks the broker that runs on this data directory, through its admin socket. Parts of the path are the caller's to
 * encode.
 *
 * @throws CommandError 3 when no broker answers, 1 when it refuses, with its reason
 */
export async function askBroker<T>(
  options: ConfigurationOptions,
  method: Method,
  path: string,
  body?: unknown,
  wait?: number,
): Promise<T> {
  return (await json(await callBroker(options, method, path, body, wait))) as T;
}

/** Whether a broker runs on this data directory. */
export async function brokerAnswers(options: ConfigurationOptions): Promise<boolean> {
  try {
    await askBroker(options, 'GET', '/status');
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === 3) return false;
    throw error;
  }
}

/** As {@link askBroker}, for an answer that is read as it comes. */
export async function callBroker(
  options: ConfigurationOptions,
  method: Method,
  path: string,
  body?: unknown,
  wait = patience,
): Promise<IncomingMessage> {
  const { configuration } = await findConfiguration(options);
  const socketPath = join(configuration.data_dir, 'admin.sock');
  const response = await send(socketPath, { method, path, body, wait }).catch((cause: Error) => {
    const message = `no broker answers at ${socketPath}: ${cause.message}`;
    throw new CommandError(3, message, { hint: 'is it running, and is this its data directory?', cause });
  });
  if (response.statusCode === 200) return response;
  const { error, hint } = (await json(response)) as { error?: string; hint?: string };
  throw new CommandError(1, error ?? `the broker answered ${response.statusCode}`, { hint });
}

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly body: unknown;
  readonly wait: number;
}

function send(socketPath: string, { method, path, body, wait }: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const call = request({ socketPath, method, path, headers }, (response) => {
      call.setTimeout(0); // from here on the answer takes as long as it takes
      resolve(response);
    });
    call.setTimeout(wait, () => call.destroy(new Error(`it said nothing for ${wait / 1000} s`)));
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
