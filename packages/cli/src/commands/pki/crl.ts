import { join } from 'node:path';
import { FILES } from '@moat/pki';
import type { ConfigurationOptions } from '../../local-broker.js';
import { authorityOf } from '../device/authority.js';

interface ListOptions extends ConfigurationOptions {
  readonly json?: true;
}

export async function signList(options: ListOptions): Promise<void> {
  const { store } = await authorityOf(options);
  const { number, nextUpdate } = await store.signRevocationList(new Date());
  const file = join(store.directory, FILES.revocationList);
  console.log(options.json ? JSON.stringify({ file, number, nextUpdate }) : file);
}
