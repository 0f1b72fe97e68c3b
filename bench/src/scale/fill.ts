import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@moat/testkit';
import type { FleetSize } from './fleet.js';

const worker = fileURLToPath(new URL('fill-worker.js', import.meta.url));

/** Makes the store of a broker in a process of its own, which can be ended while it does. */
export async function fill(dataDirectory: string, { sessions, retained, queued }: FleetSize): Promise<void> {
  const args = [worker, dataDirectory, String(sessions), String(retained), String(queued)];
  const child = startProcess(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the store could not be filled: code ${code}`);
}
