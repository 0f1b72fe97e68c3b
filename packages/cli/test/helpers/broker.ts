import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Running, type RunOptions, startMoat } from './moat.js';

interface LogLine {
  readonly level: string;
  readonly time: number;
  readonly msg: string;
  readonly listeners?: readonly { readonly protocol: string; readonly address: string; readonly port: number }[];
  readonly file?: string;
  readonly reason?: string;
}

/** Listeners on ports that the system chooses, on loopback. */
const freeListeners = `listeners:
  - { protocol: mqtts, bind: 127.0.0.1, port: 0, use_identity_as_username: cn }
  - { protocol: mqtt, port: 0 }
  - { protocol: ws, port: 0 }
`;

/** A broker started as `moat start` in a directory of its own. */
export class RunningBroker {
  readonly log: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(readonly process: Running) {
    createInterface(process.stdout).on('line', (line) => {
      this.log.push(JSON.parse(line));
      for (const look of this.#waiting) look();
    });
  }

  /** Resolves when it is ready; the configuration is `moat.yaml` in `cwd`. */
  static async start(cwd: string, configuration = freeListeners, options: RunOptions = {}): Promise<RunningBroker> {
    await writeFile(join(cwd, 'moat.yaml'), configuration);
    const broker = new RunningBroker(startMoat(['start'], { ...options, cwd }));
    await broker.logged('ready');
    return broker;
  }

  /** The first line of the log with this message, once it is there. */
  logged(message: string): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = this.log.find(({ msg }) => msg === message);
        if (!line) return;
        this.#waiting.delete(look);
        this.process.off('exit', exited);
        resolve(line);
      };
      const exited = (code: number | null) => reject(new Error(`moat start exited with ${code}`));
      this.#waiting.add(look);
      this.process.once('exit', exited);
      look();
    });
  }

  async port(protocol: string): Promise<number> {
    const { listeners = [] } = await this.logged('ready');
    return listeners.find((listener) => listener.protocol === protocol)?.port ?? 0;
  }

  /** Its exit code after the signal. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const exited = once(this.process, 'exit');
    this.process.kill(signal);
    const [code] = await exited;
    return code;
  }
}
