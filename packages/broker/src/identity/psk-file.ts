import { readFile } from 'node:fs/promises';
import { OperatorError } from '../errors.js';
import { usernameProblem } from './username.js';

/** Bytes of the shortest and the longest key: what is shorter can be guessed. */
const [shortest, longest] = [16, 64];

/**
 * Identities and pre-shared keys, one `identity:key in hexadecimal` a line, as Mosquitto has them. A line that begins
 * with `#` is a comment. What was read stays as it was: a changed file is loaded anew.
 */
export class PskFile {
  private constructor(private readonly keys: ReadonlyMap<string, Buffer>) {}

  /** @throws OperatorError `tls.invalid` with the line, if it is that */
  static async load(file: string): Promise<PskFile> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (cause) {
      throw new OperatorError('tls.invalid', `cannot read psk_file ${file}: ${(cause as Error).message}`, { cause });
    }
    return PskFile.parse(text, file);
  }

  /**
   * @param file for messages
   * @throws OperatorError `tls.invalid` with the line
   */
  static parse(text: string, file: string): PskFile {
    const keys = new Map<string, Buffer>();
    for (const [index, line] of text
      .replace(/\r?\n$/, '')
      .split(/\r?\n/)
      .entries()) {
      if (line.startsWith('#') || text === '') continue;
      const colon = line.indexOf(':');
      const [identity, key] = [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1)];
      const problem = problemWith(identity, key, keys);
      if (colon === -1 || problem !== undefined) {
        const place = { file, line: index + 1, column: 1 };
        const hint = 'write identity:key, the key in hexadecimal, such as openssl rand -hex 32 prints';
        throw new OperatorError('tls.invalid', colon === -1 ? 'the line has no colon' : `${problem}`, { place, hint });
      }
      keys.set(identity, Buffer.from(key, 'hex'));
    }
    return new PskFile(keys);
  }

  keyOf(identity: string): Buffer | undefined {
    return this.keys.get(identity);
  }
}

function problemWith(identity: string, key: string, keys: ReadonlyMap<string, Buffer>): string | undefined {
  const problem = usernameProblem(identity);
  if (problem !== undefined) return `the identity ${problem}`;
  if (keys.has(identity)) return 'the identity has a key already';
  if (!/^([0-9a-f]{2})+$/i.test(key)) return 'the key is not hexadecimal';
  const { length } = Buffer.from(key, 'hex');
  return length < shortest || length > longest
    ? `the key has ${length} bytes, not ${shortest} to ${longest}`
    : undefined;
}
