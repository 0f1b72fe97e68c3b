import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeCertificate, openAuthority, prepareBundleDirectory, writeDeviceBundle } from '@moat/pki';
import type { Command } from 'commander';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { shellWord } from '../output/shell-word.js';
import { formatTable } from '../output/table.js';
import { integer, portNumber } from '../parse-argument.js';

interface AddOptions extends ConfigurationOptions {
  readonly out?: string;
  readonly days: number;
  readonly host?: string;
  readonly port?: number;
}

interface ListOptions extends ConfigurationOptions {
  readonly json?: true;
}

export function defineDevice(command: Command): void {
  command.addHelpText('after', examples('moat device add pump-7', 'moat device list'));
  addConfigurationOptions(
    command
      .command('add <name>')
      .summary('issue a certificate for a device')
      .description('Issue a certificate for a device, and write all that it needs to connect into one folder.'),
  )
    .option('--out <dir>', 'where to write ca.crt, client.crt, client.key and connection.json (default: ./NAME)')
    .option('--days <n>', 'how long the certificate is good for', integer(1, 3650), 365)
    .option('--host <host>', "where the device finds the broker (default: the first name in the server's certificate)")
    .option('--port <port>', 'and at which port (default: that of the first TLS listener)', portNumber)
    .addHelpText('after', examples('moat device add pump-7', 'moat device add pump-7 --out /media/usb --days 90'))
    .action(add);
  addConfigurationOptions(
    command
      .command('list')
      .summary('list the certificates of devices')
      .description('List the certificates of devices, oldest first.'),
  )
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat device list', 'moat device list --json | jq -r .[].name'))
    .action(list);
}

async function add(name: string, options: AddOptions): Promise<void> {
  const { configuration } = await findConfiguration(options);
  const store = await openAuthority(join(configuration.data_dir, 'pki'));
  const listener = configuration.listeners.find(({ protocol }) => protocol === 'mqtts');
  const host = options.host ?? (await firstNameOf(join(store.directory, 'server.crt')));
  const port = options.port ?? listener?.port ?? 8883;
  const directory = resolve(options.out ?? name);
  await prepareBundleDirectory(directory);
  const issued = await store.issueDevice({ name, days: options.days, now: new Date() });
  const caCertificate = store.authority.certificate;
  await writeDeviceBundle(directory, { ...issued, name, caCertificate, host, port });
  console.log(nextSteps(name, options.out ?? name, host, port));
}

/** What the broker is called by default. */
async function firstNameOf(certificate: string): Promise<string> {
  return describeCertificate(await readFile(certificate, 'utf8')).alternativeNames[0]?.value ?? 'localhost';
}

function nextSteps(name: string, directory: string, host: string, port: number): string {
  const file = (one: string) => shellWord(join(directory, one));
  const topic = shellWord(`devices/${name}/hello`);
  const tls = `--cafile ${file('ca.crt')} --cert ${file('client.crt')} --key ${file('client.key')}`;
  return `The device ${name} may publish and subscribe under devices/${name}/#. Copy ${directory}/ to it, and try:

  moat pub --connection ${file('connection.json')} -t ${topic} -m 'hello'
  mosquitto_pub -h ${shellWord(host)} -p ${port} ${tls} -i ${shellWord(name)} -t ${topic} -m 'hello'`;
}

async function list(options: ListOptions): Promise<void> {
  const { configuration } = await findConfiguration(options);
  const store = await openAuthority(join(configuration.data_dir, 'pki'));
  const devices = (await store.listIssued()).filter(({ kind }) => kind === 'device');
  if (options.json) return console.log(JSON.stringify(devices, undefined, 2));
  const now = new Date();
  const rows = devices.map(({ name, notAfter, revocation, serialNumber }) => [
    name,
    revocation ? 'revoked' : notAfter < now ? 'expired' : 'valid',
    notAfter.toISOString().slice(0, 10),
    serialNumber,
  ]);
  console.log(formatTable(['NAME', 'STATE', 'UNTIL', 'SERIAL NUMBER'], rows));
}
