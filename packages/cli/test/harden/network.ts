import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { run, waitFor } from '@moat/testkit';
import { patience } from '../helpers/patience.js';

/** A network namespace that lives as long as a process in it. */
export class Namespace {
  private constructor(private readonly holder: ChildProcess) {}

  static async create(): Promise<Namespace> {
    const holder = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    const own = readlinkSync('/proc/self/ns/net');
    await waitFor(() => readlinkSync(`/proc/${holder.pid}/ns/net`) !== own, { timeout: patience });
    return new Namespace(holder);
  }

  get pid(): number {
    return this.holder.pid ?? 0;
  }

  /** A command line that runs another in here. */
  enter(...words: readonly string[]): [program: string, args: string[]] {
    return ['nsenter', ['-t', String(this.pid), '-n', ...words]];
  }

  /** Runs lines of a shell in here. @returns what they printed */
  async sh(script: string, input?: string): Promise<string> {
    const { code, stdout, stderr } = await run(...this.enter('sh', '-ec', script), { input: input ?? '' });
    if (code !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  }

  async end(): Promise<void> {
    const gone = once(this.holder, 'exit');
    this.holder.kill('SIGKILL');
    await gone;
  }
}

/** A server and a client with a cable between them, each with these addresses; nothing else reaches them. */
export async function connectedPair(
  addresses: Readonly<Record<'server' | 'client', readonly string[]>>,
): Promise<{ readonly server: Namespace; readonly client: Namespace; end(): Promise<unknown> }> {
  const [server, client] = await Promise.all([Namespace.create(), Namespace.create()]);
  const cable = ['link', 'add', 'cable', 'netns', String(server.pid), 'type', 'veth', 'peer', 'name', 'cable'];
  const { code, stderr } = await run('ip', [...cable, 'netns', String(client.pid)]);
  if (code !== 0) throw new Error(stderr);
  for (const [end, own] of [
    [server, addresses.server],
    [client, addresses.client],
  ] as const) {
    const added = own.map((address) => `ip addr add ${address} dev cable ${address.includes(':') ? 'nodad' : ''}`);
    await end.sh(['ip link set lo up', 'ip link set cable up', ...added].join('\n'));
  }
  return { server, client, end: () => Promise.all([server.end(), client.end()]) };
}
