import type { Configuration } from '@moat/broker';
import { type DestinationStream, type Logger, pino } from 'pino';
import { styleFor } from '../output/style.js';
import { prettyLine } from './pretty.js';

/** Names of fields that must never be read in a log, on the first and the second level. */
const secrets = ['password', 'token', 'secret', 'key', 'keyfile_passphrase', 'authenticationData'];

/** The log of the broker on standard output: for a person on a terminal, else a JSON object a line. */
export function createLogger({ level, format }: Configuration['log'], stdout = process.stdout): Logger {
  const pretty = format === 'pretty' || (format === 'auto' && stdout.isTTY);
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), remove: true },
  };
  return pretty ? pino(options, prettyStream(stdout)) : pino(options);
}

function prettyStream(stdout: NodeJS.WriteStream): DestinationStream {
  const style = styleFor(stdout);
  return { write: (line) => void stdout.write(`${prettyLine(line, style)}\n`) };
}
