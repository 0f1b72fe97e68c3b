import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Conversation, endings, listeners } from './conversation/conversation.js';

/** Sequences that have once found something, or come close: one file each, replayed by `npm test`. */
export const corpusDirectory = fileURLToPath(new URL('../corpus', import.meta.url));

/** What one file holds. */
export interface Sequence {
  /** What it does, or did. */
  readonly about: string;
  readonly conversations: readonly Conversation[];
}

/** Chunks are hexadecimal; `00*500` stands for as many bytes, and white space counts nothing else. */
interface Written {
  readonly about: string;
  readonly conversations: readonly { listener: string; ending: string; chunks: readonly string[] }[];
}

export function readCorpus(directory: string): (Sequence & { readonly name: string })[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, ...readSequence(join(directory, name)) }));
}

/** @throws Error when it is no such file */
export function readSequence(file: string): Sequence {
  const { about, conversations } = JSON.parse(readFileSync(file, 'utf8')) as Written;
  return {
    about,
    conversations: conversations.map(({ listener, ending, chunks }) => ({
      listener: oneOf(listeners, listener, file),
      ending: oneOf(endings, ending, file),
      chunks: chunks.map(bytesOf),
      packets: chunks.length,
    })),
  };
}

/** @returns the file */
export function writeSequence(directory: string, name: string, { about, conversations }: Sequence): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.json`);
  const written: Written = {
    about,
    conversations: conversations.map(({ listener, ending, chunks }) => ({
      listener,
      ending,
      chunks: chunks.map((chunk) => Buffer.from(chunk).toString('hex')),
    })),
  };
  writeFileSync(file, `${JSON.stringify(written, undefined, 2)}\n`);
  return file;
}

function bytesOf(chunk: string): Uint8Array {
  const parts = chunk.split(' ').map((part) => {
    const [hex = '', times = '1'] = part.split('*');
    return Buffer.from(hex.repeat(Number(times)), 'hex');
  });
  return Buffer.concat(parts);
}

function oneOf<T extends string>(known: readonly T[], text: string, file: string): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw new Error(`${file}: ${text} is none of ${known.join(', ')}`);
  return found;
}
