import { readFile } from 'node:fs/promises';
import { OperatorError } from '../errors.js';
import { costOf, dummyHash, type HashCost, standardCost, verifyPassword } from './password-hash.js';
import { usernameProblem } from './username.js';
import { WorkGate } from './work-gate.js';

/**
 * How many hashes are computed at once, and how many may wait. Two leave the other two threads of Node's pool to
 * files and names; a hundred wait two seconds at most.
 */
const sharedGate = new WorkGate(2, 100);

/**
 * User names and password hashes, one `user:hash` a line. A line that begins with `#` is a comment.
 * What was read stays as it was: a changed file is loaded anew.
 */
export class PasswordFile {
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #dummy: string;
  readonly #gate: WorkGate;

  private constructor(hashes: ReadonlyMap<string, string>, gate: WorkGate) {
    this.#hashes = hashes;
    this.#dummy = dummyHash(dearestOf(hashes.values()));
    this.#gate = gate;
  }

  /**
   * @param gate shared by all files unless given
   * @throws OperatorError `config.unreadable`, or `passwords.invalid` with the line
   */
  static async load(path: string, gate = sharedGate): Promise<PasswordFile> {
    try {
      return PasswordFile.parse(await readFile(path, 'utf8'), path, gate);
    } catch (cause) {
      if (cause instanceof OperatorError) throw cause;
      const hint = 'make it with moat passwd';
      throw new OperatorError('config.unreadable', `the password file ${path} cannot be read`, { hint, cause });
    }
  }

  /**
   * @param path for messages
   * @throws OperatorError `passwords.invalid` with the line
   */
  static parse(text: string, path: string, gate = sharedGate): PasswordFile {
    const hashes = new Map<string, string>();
    for (const [index, line] of linesOf(text).entries()) {
      if (line.startsWith('#')) continue;
      const [user, hash] = parseLine(line, hashes, (column, message, hint) => {
        const place = { file: path, line: index + 1, column };
        throw new OperatorError('passwords.invalid', message, { place, hint });
      });
      hashes.set(user, hash);
    }
    return new PasswordFile(hashes, gate);
  }

  get size(): number {
    return this.#hashes.size;
  }

  /**
   * Whether the user has this password; `busy` when too many are asking.
   * A user who is not in the file costs as much time as one who is.
   */
  async verify(username: string, password: Uint8Array): Promise<'ok' | 'no' | 'busy'> {
    const hash = this.#hashes.get(username);
    const verified = await this.#gate.run(() => verifyPassword(hash ?? this.#dummy, password));
    if (verified === 'busy') return verified;
    return verified && hash !== undefined ? 'ok' : 'no';
  }
}

/** The lines of a file, without the empty one that a final line break would make. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

type Refuse = (column: number, message: string, hint: string) => never;

function parseLine(line: string, known: ReadonlyMap<string, string>, refuse: Refuse): [user: string, hash: string] {
  if (line.trim() === '') refuse(1, 'a blank line', 'remove it, or make it a comment with #');
  const colon = line.indexOf(':');
  if (colon < 0) refuse(1, 'no colon between user name and hash', 'set the password with moat passwd');
  const user = line.slice(0, colon);
  const hash = line.slice(colon + 1);
  const problem = usernameProblem(user);
  if (problem) refuse(1, `the user name ${JSON.stringify(user)} ${problem}`, 'choose another name');
  if (known.has(user)) refuse(1, `the user ${user} is listed twice`, 'remove one of the two lines');
  if (!costOf(hash))
    refuse(colon + 2, `the hash of ${user} is not Argon2id`, 'set the password again with moat passwd');
  return [user, hash];
}

function dearestOf(hashes: Iterable<string>): HashCost {
  const effort = ({ memoryCost, timeCost }: HashCost) => memoryCost * timeCost;
  let dearest: HashCost | undefined;
  for (const hash of hashes) {
    const cost = costOf(hash);
    if (cost && (!dearest || effort(cost) > effort(dearest))) dearest = cost;
  }
  return dearest ?? standardCost;
}
