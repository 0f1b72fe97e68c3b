import { createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import {
  describeCertificate,
  prepareBundleDirectory,
  readBundleKey,
  replaceBundleCertificate,
  writeDeviceBundle,
} from '@moat/pki';
import { usageError } from '../../failure.js';
import type { ConfigurationOptions } from '../../local-broker.js';
import { authorityOf, daysOf, type LifeOptions, type PlaceOptions, placeOf } from './authority.js';
import { renewOverMqtt } from './renew-over-mqtt.js';

interface RenewOptions extends ConfigurationOptions, LifeOptions, PlaceOptions {
  readonly out?: string;
  readonly overMqtt?: true;
  readonly newKey?: true;
}

export async function renewDevice(name: string, options: RenewOptions): Promise<void> {
  const directory = resolve(options.out ?? name);
  if (options.overMqtt) {
    const renewed = describeCertificate(await renewOverMqtt(directory, options.newKey ?? false));
    console.log(`The next certificate of ${renewed.commonName} is good until ${renewed.notAfter.toISOString()}`);
    return;
  }
  if (options.newKey) throw usageError('--new-key needs --over-mqtt');
  const { store, configuration } = await authorityOf(options);
  const terms = { name, days: daysOf(options), now: new Date() };
  const kept = await readBundleKey(directory, name);
  let certificate: string;
  if (kept) {
    certificate = await store.renewDevice(terms, createPublicKey(kept));
    await replaceBundleCertificate(directory, certificate);
  } else {
    const place = await placeOf(options, configuration);
    await prepareBundleDirectory(directory);
    const issued = await store.renewDeviceWithNewKey(terms);
    certificate = issued.certificate;
    await writeDeviceBundle(directory, { ...issued, name, caCertificate: store.trusted, ...place });
  }
  const until = describeCertificate(certificate).notAfter.toISOString();
  const what = kept ? 'client.crt' : 'ca.crt, client.crt, client.key and connection.json';
  console.log(`The next certificate of ${name} is good until ${until}. Copy to the device: ${what} of ${directory}/`);
}
