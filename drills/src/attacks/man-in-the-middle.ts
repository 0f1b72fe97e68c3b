import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { removeDirectory, run as runProgram, scratchDirectory } from '@moat/testkit';
import { host, type PreparedBroker } from '../broker/broker.js';
import type { Drill, Run } from '../drill.js';

const command = fileURLToPath(new URL('../../../bin/moat', import.meta.url));

/** How long a command may take to give up, in milliseconds. */
const patience = 60_000;

/** Somebody between client and broker. */
interface Impostor {
  readonly title: string;
  readonly server: Server;
  /** What the client has entrusted to it, in bytes. */
  entrusted: number;
}

async function run({ broker, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const directory = scratchDirectory();
  const ca = join(directory, 'ca.crt');
  await writeFile(ca, broker.authority);
  const impostors = [...liars(broker), plain(), meddler(broker)];
  try {
    for (const impostor of impostors) {
      impostor.server.listen(0, host);
      await once(impostor.server, 'listening');
    }
    const tries = (['pub', 'sub'] as const).flatMap((verb) => impostors.map((impostor) => ({ impostor, verb })));
    for (const { impostor, verb } of tries.slice(0, amount.count)) {
      if (signal.aborted) return;
      impostor.entrusted = 0;
      const { port } = impostor.server.address() as AddressInfo;
      const { code, stderr } = await moat(verb, port, ca, broker);
      const told = stderr.trim().split('\n').at(-1) ?? '';
      report({
        tried: `moat ${verb} to ${impostor.title}`,
        happened: `exit code ${code}, ${impostor.entrusted} bytes entrusted: ${told}`,
        survived: code !== 0 && impostor.entrusted === 0,
      });
    }
    const { code } = await moat('pub', broker.ports.mqtts, ca, broker);
    report({ tried: 'moat pub to the broker itself', happened: `exit code ${code}`, survived: code === 0 });
  } finally {
    for (const { server } of impostors) server.close();
    removeDirectory(directory);
  }
}

function moat(verb: 'pub' | 'sub', port: number, ca: string, { users }: PreparedBroker) {
  const what = verb === 'pub' ? ['-m', 'x', '-q', '1'] : ['-C', '1'];
  const to = ['--url', `mqtts://localhost:${port}`, '--cafile', ca, '-u', 'victim', '-t', 'secret/x'];
  const env = { ...process.env, MOAT_PASSWORD: users.victim };
  return runProgram(process.execPath, [command, verb, ...to, ...what], { env, timeout: patience });
}

/** Those who show a certificate that is not the broker's, or end encryption of another age. */
function liars({ impostors, server }: PreparedBroker): Impostor[] {
  const shown = impostors.map(({ kind, identity }) => liar(`one with a certificate ${kind}`, identity));
  const old = { ...server, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
  return [...shown, liar('one with the right certificate that speaks TLS 1.1 alone', old)];
}

function liar(title: string, options: TlsOptions): Impostor {
  const server = createTlsServer(options);
  const impostor: Impostor = { title, server, entrusted: 0 };
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => listen(impostor, socket));
  return impostor;
}

/** One that speaks MQTT without TLS on the port of TLS, and so hears a handshake at the most. */
function plain(): Impostor {
  const server = createServer((socket) => {
    // More than the header of a TLS record, for which a client would wait.
    socket.on('error', () => {}).write(Buffer.from('20020000d000', 'hex'));
    socket.on('data', (bytes) => {
      if (bytes[0] === 0x10) impostor.entrusted += bytes.length;
    });
  });
  const impostor: Impostor = { title: 'one that answers in plain MQTT', server, entrusted: 0 };
  return impostor;
}

function listen(impostor: Impostor, socket: Socket): void {
  socket
    .on('error', () => {})
    .on('data', (bytes) => {
      impostor.entrusted += bytes.length;
    });
}

/** One that passes everything on, but for a bit of what the broker says once the handshake is over. */
function meddler({ ports }: PreparedBroker): Impostor {
  const server = createServer((client) => {
    const broker = connect({ host, port: ports.mqtts });
    let spoken = false;
    client.on('error', () => broker.destroy()).on('close', () => broker.destroy());
    broker.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('data', (bytes) => broker.write(bytes));
    broker.on('data', (bytes) => {
      // The first flight is the handshake; whatever comes behind it is altered.
      if (spoken) bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      spoken = true;
      client.write(bytes);
    });
  });
  return { title: 'one that alters what the broker says', server, entrusted: 0 };
}

export const manInTheMiddle: Drill = {
  name: 'man-in-the-middle',
  summary:
    'Stands between moat pub, moat sub and the broker, with other certificates, older TLS, none, or altered bytes',
  seenIn: 'clients that do not verify',
  unit: 'commands',
  intensity: { small: { count: 7, seconds: 60 }, full: { count: 16, seconds: 180 } },
  cheapPasswords: true,
  neverLockedOut: true,
  notFor: {
    mosquitto: "it is about Moat's own commands",
    aedes: "it is about Moat's own commands",
  },
  needs: 'setup',
  run,
};
