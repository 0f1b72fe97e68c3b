import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import {
  fileReady,
  freePort,
  OpensslAuthority,
  portReady,
  startProcess,
  withDeadline,
  writeCheapPasswords,
} from '@moat/testkit';
import { type ListenerName, listeners } from '../conversation/conversation.js';
import { accessList, password, users } from '../conversation/names.js';
import type { Doors } from '../conversation/speak.js';
import type { Measure } from './measure.js';

const command = fileURLToPath(new URL('../../../../bin/moat', import.meta.url));
const hook = new URL('measure.js', import.meta.url).href;
/** Milliseconds for what a busy machine may take its time for. */
const patience = 120_000;

/** Which limits hold: those of the default profile for strangers, or for addresses that the guard leaves alone. */
export type Guarding = 'allowed' | 'strangers';

export interface Setup {
  readonly guarding: Guarding;
  /** Where the broker keeps what it keeps; made if it is missing. */
  readonly directory: string;
  /** A module that is loaded into the broker before all else. */
  readonly preload?: string;
}

/** Problems that fuzzing rightly causes; every other line at warn or error is a finding. */
const expected: ReadonlySet<string> = new Set(['overload.entered', 'overload.left']);

/** A whole broker as people run it, `moat start`, with every kind of listener and everything on disk. */
export class FuzzedBroker implements Doors {
  /** What it wrote or did that it should not have. */
  readonly complaints: string[] = [];
  private process: ChildProcess | undefined;

  private constructor(
    private readonly setup: Setup,
    readonly ports: Doors['ports'],
    readonly authority: string,
  ) {}

  /** Writes all that it needs; what it has kept in the directory stays. */
  static async prepare(setup: Setup): Promise<FuzzedBroker> {
    const { directory, guarding } = setup;
    mkdirSync(directory, { recursive: true });
    const certificates = await OpensslAuthority.root(join(directory, 'ca'), 'Fuzz');
    const { cert, key } = await certificates.issue({
      subject: '/CN=localhost',
      extensions: ['extendedKeyUsage = serverAuth', 'subjectAltName = DNS:localhost, IP:127.0.0.1'],
    });
    const [certfile, keyfile] = [join(directory, 'server.crt'), join(directory, 'server.key')];
    writeFileSync(certfile, cert);
    writeFileSync(keyfile, key, { mode: 0o600 });
    writeFileSync(join(directory, 'acl'), accessList);
    await writeCheapPasswords(
      join(directory, 'passwords'),
      Object.fromEntries([...users, 'witness'].map((user) => [user, password])),
    );
    const ports = {} as Record<ListenerName, number>;
    for (const name of listeners) ports[name] = await freePort();
    const tls = { certfile, keyfile };
    const configuration = {
      data_dir: directory,
      listeners: listeners.map((protocol) => ({
        protocol,
        bind: '127.0.0.1',
        port: ports[protocol],
        ...(protocol === 'mqtts' || protocol === 'wss' ? tls : {}),
      })),
      authentication: { allow_anonymous: true, rehash_passwords: false },
      authorization: { acl_file: 'acl' },
      limits: {
        // Low, so that they are met, and that what is rightly kept does not hide what is lost.
        max_sessions: 500,
        max_retained_messages: 300,
        max_queued_messages: 100,
        // Who is paused is not heard leaving.
        max_pause: 2,
        ...(guarding === 'allowed' ? { connect_rate: 1_000_000, max_connects_per_clientid: 1_000_000 } : {}),
      },
      ...(guarding === 'allowed' ? { guard: { allow: ['127.0.0.0/8'] } } : {}),
      log: { level: 'warn', format: 'json' },
    };
    writeFileSync(join(directory, 'moat.yaml'), JSON.stringify(configuration)); // every JSON text is a YAML text
    return new FuzzedBroker(setup, ports, certificates.certificate);
  }

  /** Starts it, and resolves when it listens. */
  async start(): Promise<void> {
    const { directory, preload } = this.setup;
    const flags = ['--expose-gc', '--import', hook, ...(preload === undefined ? [] : ['--import', preload])];
    const args = [...flags, command, 'start', '-c', join(directory, 'moat.yaml')];
    const child = startProcess(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.process = child;
    child.once('exit', (code, signal) => {
      if (this.process === child) this.complaints.push(`the broker ended by itself: ${code ?? signal}`);
    });
    if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => this.heard(line));
    if (child.stderr !== null) createInterface(child.stderr).on('line', (line) => this.complaints.push(line));
    await portReady(child, this.ports.wss);
    await fileReady(child, join(directory, 'admin.sock'));
  }

  /** What it holds when nobody but a witness is connected, and the sessions of all others are gone. */
  async measure(): Promise<Measure> {
    const { process: child } = this;
    if (child === undefined) throw new Error('the broker does not run');
    await this.admin('DELETE', '/sessions?connected=false');
    const answer = once(child, 'message') as Promise<[Measure]>;
    child.send('measure');
    const [measure] = await withDeadline(answer, () => 'hang: the broker does not answer', patience);
    return measure;
  }

  /** Stops it as an operator would. */
  async stop(): Promise<void> {
    const { process: child } = this;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    try {
      const [code] = await withDeadline(ended, () => 'hang: the broker does not stop', patience);
      if (code !== 0) this.complaints.push(`the broker stopped with exit code ${code}`);
    } finally {
      child.kill('SIGKILL');
    }
  }

  /** Packets that it has read so far, those of the witness among them. */
  async packetsReceived(): Promise<number> {
    const { traffic } = (await this.admin('GET', '/status')) as { traffic: { packetsReceived: number } };
    return traffic.packetsReceived;
  }

  private async admin(method: string, path: string): Promise<unknown> {
    const asked = request({ socketPath: join(this.setup.directory, 'admin.sock'), method, path });
    const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
    asked.end();
    const [response] = await withDeadline(answered, () => `hang: the broker does not answer ${path}`, patience);
    const body = await text(response);
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${body}`);
    return JSON.parse(body);
  }

  private heard(line: string): void {
    const { event = '' } = JSON.parse(line) as { event?: string };
    if (!expected.has(event)) this.complaints.push(line);
  }
}
