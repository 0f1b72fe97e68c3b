import { type Client, type ClientError, type ConnectOptions, connect, isClientError } from '@moat/client';
import { CommandError } from '../failure.js';
import { escapeControls } from '../output/escape.js';

/**
 * Connects, and tells on standard error when the connection is lost and found again.
 *
 * @throws CommandError with exit code 3 when the broker cannot be reached or refuses us
 */
export async function openClient(options: ConnectOptions, quiet: boolean): Promise<Client> {
  const client = await asCommandErrors(() => connect(options));
  if (options.renewal !== undefined) await renewIfDue(client);
  if (quiet) return client;
  const say = (text: string) => process.stderr.write(`moat: ${escapeControls(text)}\n`);
  client.on('disconnected', ({ message }, delay) => {
    say(`connection lost: ${message}; trying again in ${(delay / 1000).toFixed(1)} s`);
  });
  client.on('connected', () => say('connected again'));
  client.on('renewed', () => say('the certificate was renewed'));
  client.on('renewalFailed', ({ message }) => say(`cannot renew the certificate: ${message}`));
  return client;
}

/** At once, for those who do not stay; one that fails is tried again, and is no reason not to go on. */
async function renewIfDue(client: Client): Promise<void> {
  await client.renewIfDue().catch(({ message }: Error) => {
    process.stderr.write(`moat: cannot renew the certificate: ${escapeControls(message)}\n`);
  });
}

/** Runs what uses a client; its errors become those of a command. */
export async function asCommandErrors<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw isClientError(error) ? toCommandError(error) : error;
  }
}

function toCommandError(error: ClientError): CommandError {
  const exitCode = error.code === 'denied' || error.code === 'certificate' ? 1 : error.code === 'invalid' ? 2 : 3;
  return new CommandError(exitCode, error.message, { hint: hintFor(error), cause: error });
}

const hints: readonly [code: ClientError['code'], message: RegExp, hint: string][] = [
  ['unreachable', /ECONNREFUSED/, 'is the broker running, and is this its port?'],
  ['unreachable', /ECONNRESET/, 'does this port speak TLS? mqtts:// or mqtt:// in --url says which'],
  ['tls', /trusted authority/, "give the broker's authority with --cafile"],
  ['tls', /does not speak TLS/, 'a plain listener is mqtt://HOST:PORT in --url'],
  ['tls', /certificate required/, 'this listener wants --cert and --key, or --connection'],
  [
    'refused',
    /user ?name|authorized/,
    'prove who you are with -u NAME and MOAT_PASSWORD, --cert and --key, or --connection',
  ],
];

function hintFor({ code, message }: ClientError): string | undefined {
  return hints.find(([kind, pattern]) => kind === code && pattern.test(message))?.[2];
}
