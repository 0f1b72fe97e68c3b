import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, launchMosquitto } from '@moat/testkit';
import { type Issued, issue, makeAuthority } from './certificates.js';

/** A broker with one listener of each kind; user `alice`, password `secret`, may use `open/#` only. */
export interface Peer {
  readonly directory: string;
  readonly ports: { readonly mqtt: number; readonly ws: number; readonly mqtts: number; readonly wss: number };
  /** Of the listener that wants a client certificate. */
  readonly certificatePort: number;
  readonly ca: Issued;
  /** Of another authority, by the same name. */
  readonly otherCa: Issued;
  readonly device: Issued;
  stop(): Promise<void>;
}

export async function startPeer(): Promise<Peer> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-client-'));
  const ca = await makeAuthority(directory, 'ca');
  const otherCa = await makeAuthority(directory, 'other');
  const server = await issue(directory, ca, 'server', 'DNS:localhost');
  const device = await issue(directory, ca, 'device', 'DNS:device');
  const passwords = join(directory, 'passwords');
  await promisify(execFile)('mosquitto_passwd', ['-b', '-c', passwords, 'alice', 'secret']);
  await writeFile(join(directory, 'acl'), 'user alice\ntopic readwrite open/#\n');
  const [mqtt, ws, mqtts, wss, certificatePort] = (await Promise.all([1, 2, 3, 4, 5].map(freePort))) as Five;
  const tls = [`cafile ${ca.certFile}`, `certfile ${server.certFile}`, `keyfile ${server.keyFile}`];
  const users = [`password_file ${passwords}`, `acl_file ${join(directory, 'acl')}`, 'allow_anonymous false'];
  const broker = await launchMosquitto(directory, [
    'per_listener_settings true',
    ...[`listener ${mqtt} 127.0.0.1`, ...users],
    ...[`listener ${ws} 127.0.0.1`, 'protocol websockets', ...users],
    ...[`listener ${mqtts} 127.0.0.1`, ...tls, ...users],
    ...[`listener ${wss} 127.0.0.1`, 'protocol websockets', ...tls, ...users],
    ...[`listener ${certificatePort} 127.0.0.1`, ...tls, 'require_certificate true', 'use_identity_as_username true'],
  ]);
  const stop = async () => {
    await broker.kill();
    await rm(directory, { recursive: true });
  };
  return { directory, ports: { mqtt, ws, mqtts, wss }, certificatePort, ca, otherCa, device, stop };
}

type Five = [number, number, number, number, number];
