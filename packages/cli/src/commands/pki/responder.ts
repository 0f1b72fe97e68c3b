import { join } from 'node:path';
import { FILES } from '@moat/pki';
import type { ConfigurationOptions } from '../../local-broker.js';
import { authorityOf } from '../device/authority.js';

interface ResponderOptions extends ConfigurationOptions {
  readonly days: number;
}

export async function certifyResponder(options: ResponderOptions): Promise<void> {
  const { store } = await authorityOf(options);
  const { notAfter } = await store.issueResponder({ days: options.days, now: new Date() });
  const [certificate, key] = [FILES.responderCertificate, FILES.responderKey].map((file) =>
    join(store.directory, file),
  );
  console.log(`${certificate} and ${key} sign the answers of moat pki ocsp until ${notAfter.toISOString()}`);
}
