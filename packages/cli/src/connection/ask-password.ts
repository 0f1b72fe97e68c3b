import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from '../failure.js';

/** Asks on the terminal, without showing what is typed. */
export async function askPassword(question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  // Only now: from here on the terminal itself shows nothing either.
  process.stderr.write(question);
  const answer = await firstLine(reader);
  process.stderr.write('\n');
  if (answer === undefined) throw new CommandError(1, 'no password was given');
  return answer;
}

/** The first line of standard input. */
export async function readPassword(): Promise<string> {
  const answer = await firstLine(createInterface({ input: process.stdin }));
  if (answer === undefined) throw new CommandError(1, 'standard input holds no password');
  return answer;
}

async function firstLine(reader: Interface): Promise<string | undefined> {
  let line: string | undefined;
  reader.once('line', (text) => {
    line = text;
    reader.close();
  });
  reader.once('SIGINT', () => reader.close());
  await once(reader, 'close');
  return line;
}
