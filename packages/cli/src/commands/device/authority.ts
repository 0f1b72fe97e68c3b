import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '@moat/broker';
import { type AuthorityStore, describeCertificate, openAuthority } from '@moat/pki';
import { type ConfigurationOptions, findConfiguration } from '../../local-broker.js';
import { authorityFacts } from '../../setup/authority-facts.js';
import { askCaPassphrase } from '../../setup/ca-passphrase.js';

/** How long a certificate is to be good for; `hours` wins. */
export interface LifeOptions {
  readonly days: number;
  readonly hours?: number;
}

/** Where a device is to find the broker. */
export interface PlaceOptions {
  readonly host?: string;
  readonly port?: number;
}

/** The authority of the data directory that the options lead to. */
export async function authorityOf(
  options: ConfigurationOptions,
): Promise<{ store: AuthorityStore; configuration: Configuration }> {
  const { configuration } = await findConfiguration(options);
  const store = await openAuthority(
    join(configuration.data_dir, 'pki'),
    askCaPassphrase,
    authorityFacts(configuration),
  );
  return { store, configuration };
}

export function daysOf({ days, hours }: LifeOptions): number {
  return hours === undefined ? days : hours / 24;
}

/** What the options say, or else the broker's first name and its first TLS port. */
export async function placeOf(
  options: PlaceOptions,
  configuration: Configuration,
): Promise<{ host: string; port: number }> {
  const listener = configuration.listeners.find(({ protocol }) => protocol === 'mqtts');
  const certificate = join(configuration.data_dir, 'pki', 'server.crt');
  return { host: options.host ?? (await firstNameOf(certificate)), port: options.port ?? listener?.port ?? 8883 };
}

/** What the broker is called by default. */
async function firstNameOf(certificate: string): Promise<string> {
  return describeCertificate(await readFile(certificate, 'utf8')).alternativeNames[0]?.value ?? 'localhost';
}
