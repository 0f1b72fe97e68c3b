import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Broker, type ConfigurationInput, type Log } from '../../dist/index.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { portOf, silent, testConfiguration } from './broker.js';
import { passwordFile } from './passwords.js';

export const engines = ['memory', 'lmdb'] as const;

/** A broker that is stopped and started again on what it kept. */
export interface Lives {
  readonly broker: Broker;
  readonly port: number;
  readonly directory: string;
  /** What it told the operator, in all its lives. */
  readonly events: readonly Record<string, unknown>[];
  /** With another policy if one is given. */
  restart(policy?: string): Promise<void>;
  /** Puts another policy in force. */
  enforce(policy: string): Promise<void>;
}

/** One whose users have the password `pw`. */
export async function lives(
  t: TestContext,
  engine: (typeof engines)[number],
  input: ConfigurationInput,
  { users = [], policy = '' }: { users?: readonly string[]; policy?: string } = {},
): Promise<Lives> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-lives-'));
  const policyFile = join(directory, 'policy.yaml');
  await writeFile(policyFile, policy);
  await writeFile(
    join(directory, 'passwords'),
    await passwordFile(Object.fromEntries(users.map((user) => [user, 'pw']))),
  );
  const events: Record<string, unknown>[] = [];
  const log: Log = { ...silent, info: (fields) => events.push({ ...fields }) };
  const configuration = testConfiguration(directory, { ...input, storage: { engine } });
  const kept = engine === 'memory' ? { store: new MemoryStore() } : {};
  const start = () => Broker.start({ configuration, log, ...kept });
  let broker = await start();
  t.after(async () => {
    await broker.stop();
    await rm(directory, { recursive: true });
  });
  return {
    get broker() {
      return broker;
    },
    get port() {
      return portOf(broker);
    },
    directory,
    events,
    async restart(next) {
      await broker.stop();
      if (next !== undefined) await writeFile(policyFile, next);
      broker = await start();
    },
    async enforce(next) {
      await writeFile(policyFile, next);
      await broker.reload(configuration);
    },
  };
}
