import type { Configuration } from '@moat/broker';
import { type DestinationStream, type Logger, pino } from 'pino';
import { styleFor } from '../output/style.js';
import { prettyLine } from './pretty.js';

/** Names of fields that must never be read in a log. What the broker logs is flat: one level is looked at. */
const secrets = ['password', 'token', 'secret', 'key', 'keyfile_passphrase', 'authenticationData'];

/** The log of the broker on standard output: for a person on a terminal, else a JSON object a line. */
export function createLogger({ level, format }: Configuration['log'], stdout = process.stdout): Logger {
  const pretty = format === 'pretty' || (format === 'auto' && stdout.isTTY);
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secrets, remove: true },
  };
  // Not synchronous: lines gather while a write is under way, and a reader that is stuck does not stop the broker. What
  // is left is written at exit.
  return pino(options, pretty ? prettyStream(stdout) : pino.destination({ dest: 1, sync: false }));
}

function prettyStream(stdout: NodeJS.WriteStream): DestinationStream {
  const style = styleFor(stdout);
  return { write: (line) => void stdout.write(`${prettyLine(line, style)}\n`) };
}
