import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { python, waitFor } from '@moat/testkit';
import { patience } from './patience.js';

/**
 * Receives as systemd does, and prints each datagram as a line. A name that begins with @ is an abstract one. BARRIER asks
 * whether all was read, which a descriptor says that comes with it and is dropped here.
 */
const receiver = `
import socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + name[1:] if name.startswith('@') else name)
print('listening', flush=True)
while True:
  text = s.recv(4096).decode().strip()
  if text != 'BARRIER=1': print(text, flush=True)
`;

/** A socket that services notify (sd_notify(3)), and what has come. */
export class NotifySocket {
  readonly received: string[] = [];

  private constructor(private readonly process: ChildProcess) {}

  static async open(name: string): Promise<NotifySocket> {
    const child = spawn(python, ['-c', receiver, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    const socket = new NotifySocket(child);
    createInterface(child.stdout).on('line', (line) => socket.received.push(line));
    await waitFor(() => socket.received.shift() === 'listening', { timeout: patience });
    return socket;
  }

  /** Takes what came before this, and this. */
  async until(message: string | RegExp): Promise<string[]> {
    const fits = (line: string) => (typeof message === 'string' ? line === message : message.test(line));
    await waitFor(() => this.received.some(fits), {
      what: `${message} among ${this.received.join(', ')}`,
      timeout: patience,
    });
    return this.received.splice(0, this.received.findIndex(fits) + 1);
  }

  close(): void {
    this.process.kill('SIGKILL');
  }
}
