import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import {
  type DeviceBundle,
  prepareBundleDirectory,
  writeBundleCHeader,
  writeBundlePkcs12,
  writeDeviceBundle,
} from '@moat/pki';
import type { ConfigurationOptions } from '../../local-broker.js';
import { shellWord } from '../../output/shell-word.js';
import { readSecret } from '../../secret.js';
import { authorityOf, daysOf, type LifeOptions, type PlaceOptions, placeOf } from './authority.js';

interface AddOptions extends ConfigurationOptions, LifeOptions, PlaceOptions {
  readonly out?: string;
  readonly format?: 'p12' | 'c-header';
  readonly p12Password?: string;
}

export async function addDevice(name: string, options: AddOptions): Promise<void> {
  const { store, configuration } = await authorityOf(options);
  const { host, port } = await placeOf(options, configuration);
  const given = options.p12Password === undefined ? undefined : await readSecret(options.p12Password);
  const directory = resolve(options.out ?? name);
  await prepareBundleDirectory(directory);
  const issued = await store.issueDevice({ name, days: daysOf(options), now: new Date() });
  const bundle = { ...issued, name, caCertificate: store.trusted, host, port };
  await writeDeviceBundle(directory, bundle);
  console.log(nextSteps(name, options.out ?? name, host, port));
  if (options.format === 'c-header') await writeBundleCHeader(directory, bundle);
  if (options.format === 'p12') await addPkcs12(directory, bundle, given);
}

async function addPkcs12(directory: string, bundle: DeviceBundle, given: string | undefined): Promise<void> {
  const password = given ?? randomBytes(12).toString('base64url');
  await writeBundlePkcs12(directory, bundle, password);
  if (given === undefined) console.log(`\nThe password of client.p12, shown this once:  ${password}`);
}

function nextSteps(name: string, directory: string, host: string, port: number): string {
  const file = (one: string) => shellWord(join(directory, one));
  const topic = shellWord(`devices/${name}/hello`);
  const tls = `--cafile ${file('ca.crt')} --cert ${file('client.crt')} --key ${file('client.key')}`;
  return `The device ${name} may publish and subscribe under devices/${name}/#. Copy ${directory}/ to it, and try:

  moat pub --connection ${file('connection.json')} -t ${topic} -m 'hello'
  mosquitto_pub -h ${shellWord(host)} -p ${port} ${tls} -i ${shellWord(name)} -t ${topic} -m 'hello'`;
}
