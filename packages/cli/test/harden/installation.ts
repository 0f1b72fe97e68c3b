import { fileURLToPath } from 'node:url';
import { parseConfiguration } from '@moat/broker';
import type { Installation } from '../../dist/harden/installation.js';
import { command } from '../helpers/moat.js';

/** The command of this checkout, with a configuration in `directory`. */
export function installationIn(directory: string, yaml = ''): Installation {
  const file = `${directory}/moat.yaml`;
  const configuration = parseConfiguration(`data_dir: ${JSON.stringify(`${directory}/moat-data`)}\n${yaml}\n`, file);
  return {
    configuration,
    file,
    node: process.execPath,
    program: command,
    allocator: undefined,
    user: 'moat',
    logFile: `${directory}/moat.log`,
    sshPort: 22,
    brokers: ['127.0.0.2', '127.0.0.3'],
  };
}

/** What lies in the repository. */
export const deploy = fileURLToPath(new URL('../../../../deploy', import.meta.url));
