import { join, relative } from 'node:path';
import type { Configuration } from '@moat/broker';
import { shellWord } from '../output/shell-word.js';
import type { Created } from './data-directory.js';

/** What to type next: shown once, on the terminal where the broker was first started. */
export function welcome(configuration: Configuration, admin: NonNullable<Created['admin']>): string {
  const { username, password } = admin;
  const directory = relative('', configuration.data_dir) || '.';
  const dataDir = directory === 'moat-data' ? '' : ` --data-dir ${shellWord(directory)}`;
  const how = waysIn(configuration, directory, dataDir);
  const mosquitto = `${how.mosquitto} -u ${username} -P ${password}`;
  const moat = (verb: string) => `MOAT_PASSWORD=${password} moat ${verb}${how.moat} -u ${username}`;
  return `
Moat keeps its certificates, passwords and policy in ${directory}.
The administrator, shown this once:  user ${username}  password ${password}
(to choose another: moat passwd ${shellWord(join(directory, 'passwords'))} ${username})

Subscribe, and publish from another terminal, with the clients of Mosquitto:
  mosquitto_sub ${mosquitto} -v -t 'devices/#'
  mosquitto_pub ${mosquitto} -t devices/pump-7/hello -m hello

or with those of Moat:
  ${moat('sub')} -v -t 'devices/#'
  ${moat('pub')} -t devices/pump-7/hello -m hello

Give a device a certificate of its own:
  moat device add pump-7${dataDir}

`;
}

/** The options that lead each kind of client to the first listener that it can use: TLS if there is one. */
function waysIn({ listeners }: Configuration, directory: string, dataDir: string): { mosquitto: string; moat: string } {
  const plain = listeners.find(({ protocol }) => protocol === 'mqtt');
  const secure = listeners.find(({ protocol }) => protocol === 'mqtts');
  if (!secure && plain) {
    return { mosquitto: `-h localhost -p ${plain.port}`, moat: ` --url mqtt://localhost:${plain.port}` };
  }
  const port = secure?.port ?? 8883;
  return {
    mosquitto: `--cafile ${shellWord(join(directory, 'pki', 'ca.crt'))} -h localhost -p ${port}`,
    moat: `${port === 8883 ? '' : ` -p ${port}`}${dataDir}`,
  };
}
