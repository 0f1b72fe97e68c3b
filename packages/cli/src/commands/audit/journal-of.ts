import { join } from 'node:path';
import { type ConfigurationOptions, findConfiguration } from '../../local-broker.js';

/** The directory of the journal of a broker, which need not run. */
export async function journalOf(options: ConfigurationOptions): Promise<string> {
  return join((await findConfiguration(options)).configuration.data_dir, 'audit');
}
