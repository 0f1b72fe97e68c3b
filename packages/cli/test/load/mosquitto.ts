import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Mosquitto, startMosquitto, temporaryDirectory } from '@moat/testkit';
import type { Target } from '../../dist/load/index.js';

/** A Mosquitto to be loaded; `acl` lists what clients may do, without it everything. */
export async function startTarget(t: TestContext, acl?: string): Promise<Mosquitto & { target: Target }> {
  const lines: string[] = [];
  if (acl !== undefined) {
    const file = join(await temporaryDirectory(t), 'acl');
    await writeFile(file, acl, { mode: 0o600 });
    lines.push(`acl_file ${file}`);
  }
  const { port, ...mosquitto } = await startMosquitto(t, { lines });
  return { ...mosquitto, target: { host: '127.0.0.1', port } };
}
