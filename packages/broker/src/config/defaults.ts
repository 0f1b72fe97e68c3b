import { resolve } from 'node:path';
import { listenerSchema } from './listener-schema.js';
import { resolvePaths } from './paths.js';
import { type Configuration, configurationSchema } from './schema.js';

/**
 * What the broker runs with when there is no file.
 * @param dataDir relative to the working directory
 */
export function defaultConfiguration(dataDir = './moat-data'): Configuration {
  return resolvePaths(configurationSchema.parse({ data_dir: resolve(dataDir) }), process.cwd());
}

/**
 * The same configuration with one plain listener on the loopback address in place of all others.
 * @param port 0 lets the system choose one
 */
export function withPlainListener(configuration: Configuration, port: number): Configuration {
  return { ...configuration, listeners: [listenerSchema.parse({ protocol: 'mqtt', port })] };
}
