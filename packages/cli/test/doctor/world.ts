import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultConfiguration, parseConfiguration } from '@moat/broker';
import type { Check, Outcome, Subject } from '../../dist/doctor/check.js';
import { type Host, thisHost } from '../../dist/doctor/host.js';
import { ensureDataDirectory } from '../../dist/setup/data-directory.js';

/** A machine with a broker on it, in which one thing is made weak or well. */
export interface World {
  /** Where the data directory and `moat.yaml` are. */
  readonly directory: string;
  readonly now: Date;
  /** What stands in `moat.yaml` beside `data_dir`. */
  yaml: string;
  /** What the machine says in place of this one. */
  host: Partial<Host>;
  pid: number | undefined;
  /** A path in the data directory. */
  data(name: string): string;
  /** Makes a file of the machine, such as one under /proc. */
  put(path: string, text: string): Promise<void>;
}

export type Setup = (world: World) => unknown;

/** A check, made to fire and to be quiet. Without `well` it is quiet about what `moat init` makes. */
export interface Case {
  readonly weak: Setup;
  /** What is said of it. */
  readonly says: RegExp;
  readonly well?: Setup;
}

export class Worlds {
  private constructor(private readonly home: string) {}

  /** @param home a directory for all of them */
  static async create(home: string): Promise<Worlds> {
    const configuration = defaultConfiguration(join(home, 'template', 'moat-data'));
    await ensureDataDirectory(configuration, { hosts: [], now: new Date() });
    return new Worlds(home);
  }

  /** What a check says of a world of its own. */
  async ask(check: Check, setup: Setup = () => {}): Promise<Outcome> {
    const directory = await mkdtemp(join(this.home, 'world-'));
    await cp(join(this.home, 'template'), directory, { recursive: true, preserveTimestamps: true });
    const root = join(directory, 'root');
    const world: World = {
      directory,
      now: new Date(),
      yaml: '',
      host: {},
      pid: undefined,
      data: (name) => join(directory, 'moat-data', name),
      async put(path, text) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFile(join(root, path), text);
      },
    };
    await setup(world);
    return check.look(await subjectOf(world, root));
  }
}

async function subjectOf(world: World, root: string): Promise<Subject> {
  const file = join(world.directory, 'moat.yaml');
  const text = `data_dir: ./moat-data\n${world.yaml}\n`;
  await writeFile(file, text, { flag: 'a' });
  const configuration = parseConfiguration(text, file);
  return { configuration, file, host: { ...thisHost(root), ...world.host }, pid: world.pid, now: world.now };
}
