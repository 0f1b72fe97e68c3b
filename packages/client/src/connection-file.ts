import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InvalidError } from './errors.js';
import { authMethods, type ConnectOptions } from './options.js';
import type { Identity, RenewalOptions } from './renewal.js';

const text = { wanted: 'text', test: (value: unknown) => typeof value === 'string' };
const oneOf = (...known: readonly unknown[]) => ({
  wanted: `one of ${known.join(', ')}`,
  test: (value: unknown) => known.includes(value),
});

const rules = {
  host: text,
  port: {
    wanted: 'a number from 1 to 65535',
    test: (value: unknown) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
  },
  protocol: oneOf('mqtts', 'mqtt', 'wss', 'ws'),
  clientId: text,
  username: text,
  password: text,
  auth: oneOf(...authMethods),
  ca: text,
  cert: text,
  key: text,
};

const required = ['host', 'port', 'protocol'] as const;

/**
 * Reads a `connection.json`, as `moat device add` writes it: where the broker is, who we are, and the files of the
 * certificates, whose paths are relative to it.
 *
 * @throws InvalidError `file:line:column: what is wrong`
 */
export async function loadConnection(file: string): Promise<ConnectOptions> {
  const text = await read(file, file);
  const values = parse(file, text);
  const at = (key: string) => placeOf(file, text, key);
  for (const [key, value] of Object.entries(values)) checkEntry(key, value, at(key));
  for (const key of required) if (!(key in values)) throw new InvalidError(`${at('')}: ${key} is missing`);
  const options: Record<string, unknown> = { ...values };
  for (const key of ['ca', 'cert', 'key'] as const) {
    const path = values[key];
    if (typeof path === 'string') options[key] = await read(resolve(dirname(file), path), at(key));
  }
  return options;
}

/**
 * Keeps renewed certificates in the folder of a `connection.json`: whoever reads it finds a certificate and the key to it
 * at every moment, even if this process is killed.
 */
export function renewInto(file: string, newKey = false): RenewalOptions {
  const store = async ({ cert, key }: Identity): Promise<void> => {
    const { replaceBundleIdentity } = await import('@moat/pki');
    await replaceBundleIdentity(file, cert, key);
  };
  return { store, newKey };
}

function checkEntry(key: string, value: unknown, place: string): void {
  const rule = Object.hasOwn(rules, key) ? rules[key as keyof typeof rules] : undefined;
  if (!rule) throw new InvalidError(`${place}: unknown key ${key}; known are ${Object.keys(rules).join(', ')}`);
  if (!rule.test(value)) throw new InvalidError(`${place}: ${key} must be ${rule.wanted}`);
}

function parse(file: string, text: string): Record<string, unknown> {
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return values as Record<string, unknown>;
  } catch (error) {
    // Its words quote the text, in which there may be a password.
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    const before = text.slice(0, position === undefined ? 0 : Number(position)).split('\n');
    throw new InvalidError(`${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: not JSON`);
  }
  throw new InvalidError(`${file}:1:1: not a JSON object`);
}

async function read(file: string, place: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InvalidError(`${place}: cannot read it: ${(error as Error).message}`, { cause: error });
  }
}

/** Where a key stands in the text; the beginning of the file when it is not there. */
function placeOf(file: string, text: string, key: string): string {
  const before = text.slice(0, Math.max(0, text.indexOf(JSON.stringify(key)))).split('\n');
  return `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}
