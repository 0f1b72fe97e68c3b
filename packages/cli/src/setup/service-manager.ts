import { type ChildProcess, spawn } from 'node:child_process';
import type { Log } from '@moat/broker';

/**
 * Passes each line on to whoever supervises the broker. A signal to the whole group must not end it before it has told
 * that the broker stops; it ends with the broker, when there is nothing more to read.
 */
const relay = `trap '' TERM INT HUP
command -v systemd-notify >/dev/null || exit 127
while IFS= read -r line; do systemd-notify -- "$line"; done`;

/** What is told, in the words of sd_notify(3). */
type Assignment = 'READY=1' | 'RELOADING=1' | 'STOPPING=1' | 'WATCHDOG=1' | `STATUS=${string}`;

/**
 * Whoever supervises the broker: systemd, or what speaks its protocol (sd_notify(3)). It is told when the broker is
 * ready, reloads and stops, and, where it asks for that, again and again that the event loop turns. Without
 * `NOTIFY_SOCKET` in the environment nobody is.
 *
 * Node.js has no datagram sockets of Unix, so `systemd-notify` sends; see decision 0054.
 */
export class ServiceManager {
  private readonly socket: string | undefined;
  /** Milliseconds between two signs of life; undefined where none are asked for. */
  private readonly interval: number | undefined;
  private child: ChildProcess | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastStatus = '';
  private complained = false;
  private stopped = false;

  /** @param environment where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked up */
  constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly log: Log,
  ) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid } = environment;
    this.socket = socket;
    const asked = Number(microseconds) > 0 && (pid === undefined || Number(pid) === process.pid);
    // Half of what is allowed, as sd_watchdog_enabled(3) has it.
    this.interval = asked ? Number(microseconds) / 2_000 : undefined;
    // Now, while the process is small: to start another one takes longer the larger this one is.
    if (socket) this.child = this.startRelay();
  }

  /** All is in force. @param status in a few words what the broker does, asked again with each sign of life */
  ready(status: () => string): void {
    this.tell('READY=1');
    this.show(status());
    if (this.interval === undefined || this.timer !== undefined) return;
    this.timer = setInterval(() => {
      this.tell('WATCHDOG=1');
      this.show(status());
    }, this.interval);
    this.timer.unref();
  }

  /** Another configuration is being read; {@link ready} ends that. */
  reloading(): void {
    this.tell('RELOADING=1');
  }

  /** Nothing is told behind that. */
  stopping(): void {
    this.tell('STOPPING=1');
    this.show('stopping');
    clearInterval(this.timer);
    this.stopped = true;
    this.child?.stdin?.end();
  }

  private show(status: string): void {
    if (status !== this.lastStatus) this.tell(`STATUS=${status}`);
    this.lastStatus = status;
  }

  private tell(assignment: Assignment): void {
    if (!this.socket || this.stopped) return;
    this.child ??= this.startRelay();
    this.child.stdin?.write(`${assignment}\n`);
  }

  private startRelay(): ChildProcess {
    const child = spawn('/bin/sh', ['-c', relay], { env: this.environment, stdio: ['pipe', 'ignore', 'inherit'] });
    const gone = (reason: string): void => {
      if (this.child === child) this.child = undefined;
      if (reason === '0' || this.complained) return;
      this.complained = true;
      this.log.warn({ reason }, 'cannot tell the service manager how the broker is');
    };
    child.once('error', (error) => gone(error.message));
    child.once('exit', (code, signal) => gone(code === 127 ? 'there is no systemd-notify' : String(code ?? signal)));
    // It may go before all was read; that it has gone is told above.
    child.stdin?.on('error', () => {});
    child.unref();
    return child;
  }
}
