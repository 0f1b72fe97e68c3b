import { readFile } from 'node:fs/promises';
import type { Mechanism } from '@moat/scram';
import { OperatorError } from '../errors.js';
import type { PasswordHash } from './hash-scheme.js';
import { parseHash, standardHash } from './password-hash.js';
import { parseVerifier, type Verifier, verifierKind } from './scram.js';
import { usernameProblem } from './username.js';
import { verifyApart } from './verify-apart.js';

/** Where the credentials of a user stand in the bytes of the file: the user name is in front of them. */
type Offsets = Map<string, number>;

/**
 * User names and what proves them, one `user:hash` a line, behind which SCRAM verifiers may follow, each after another
 * colon. A line that begins with `#` is a comment. What was read stays as it was: a changed file is loaded anew.
 *
 * Kept as the bytes of the file and an index into them: a hundred thousand users are a hundred thousand names more.
 */
export class PasswordFile {
  /** One hash of each cost in the file. */
  readonly #samples = new Map<string, PasswordHash>();
  readonly #iterations = new Map<Mechanism, Set<number>>();
  /** Credentials that were made anew since the file was read. */
  readonly #renewed = new Map<string, string>();
  readonly #offsets: Offsets = new Map();
  /** A user who has verifiers. */
  #example = '';
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer, path: string) {
    this.#bytes = bytes;
    let line = 0;
    for (let start = 0, end: number; start < bytes.length; start = end + 1) {
      end = bytes.indexOf(0x0a, start);
      if (end < 0) end = bytes.length;
      line++;
      if (bytes[start] === 0x23) continue;
      const place = { file: path, line };
      this.#add(bytes.toString('utf8', start, end).replace(/\r$/, ''), start, (column, message, hint) => {
        throw new OperatorError('passwords.invalid', message, { place: { ...place, column }, hint });
      });
    }
    if (this.#samples.size === 0) this.#samples.set(standardHash.cost, standardHash);
  }

  /** @throws OperatorError `config.unreadable`, or `passwords.invalid` with the line */
  static async load(path: string): Promise<PasswordFile> {
    try {
      return new PasswordFile(await readFile(path), path);
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
  static parse(text: string | Buffer, path: string): PasswordFile {
    return new PasswordFile(typeof text === 'string' ? Buffer.from(text) : text, path);
  }

  get size(): number {
    return this.#offsets.size;
  }

  /** In the order of the file. */
  usernames(): IterableIterator<string> {
    return this.#offsets.keys();
  }

  /** The mechanisms for which any user has a verifier. */
  get mechanisms(): Mechanism[] {
    return [...this.#iterations.keys()];
  }

  /** The numbers of iterations that the verifiers of a mechanism have. */
  iterationsOf(mechanism: Mechanism): number[] {
    return [...(this.#iterations.get(mechanism) ?? [])].sort((one, other) => one - other);
  }

  /** What stands behind the name of a user. */
  credentialsOf(username: string): string | undefined {
    return this.#renewed.get(username) ?? this.#written(username);
  }

  /** What stood there when the file was read. */
  #written(username: string): string | undefined {
    const start = this.#offsets.get(username);
    if (start === undefined) return undefined;
    const end = this.#bytes.indexOf(0x0a, start);
    return this.#bytes.toString('utf8', start, end < 0 ? undefined : end).replace(/\r$/, '');
  }

  /**
   * Whether the user has this password. A wrong one takes one hash of each cost in the file, whether the user is in it
   * or not, and whichever of them is the user's.
   * @param known the name has logged in from its address before, and is not made to wait for the sake of others
   * @param worked told of each hash that is computed
   */
  async verify(
    username: string,
    password: Uint8Array,
    { known = false, worked }: { readonly known?: boolean; readonly worked?: (cost: string) => void } = {},
  ): Promise<boolean> {
    const own = this.hashOf(username);
    const samples = [...this.#samples.values()].filter(({ cost }) => cost !== own?.cost);
    for (const hash of own === undefined ? samples : [own, ...samples]) {
      worked?.(hash.cost);
      if ((await verifyApart(hash.text, password, known)) && hash === own) return true;
    }
    return false;
  }

  hashOf(username: string): PasswordHash | undefined {
    return parseHash(this.credentialsOf(username)?.split(':', 1)[0] ?? '');
  }

  /** Of who has none, somebody else's are read: that takes as long. */
  verifierOf(username: string, mechanism: Mechanism): Verifier | undefined {
    const own = this.credentialsOf(username);
    const hasSome = own?.includes(':') ?? false;
    const [, ...verifiers] = (hasSome ? own : this.credentialsOf(this.#example))?.split(':') ?? [];
    const found = verifiers.map(parseVerifier).find((verifier) => verifier?.mechanism === mechanism);
    return hasSome ? found : undefined;
  }

  /** Notes what a user's credentials are from now on; they prove the same password. */
  renew(username: string, credentials: string): void {
    this.#renewed.set(username, credentials);
  }

  /** The users of an earlier file who have other credentials in this one, or none. What was renewed is no change. */
  changedSince(earlier: PasswordFile): Set<string> {
    for (const [username, credentials] of earlier.#renewed) {
      if (this.#written(username) === earlier.#written(username)) this.renew(username, credentials);
    }
    const changed = new Set<string>();
    if (this.#bytes.equals(earlier.#bytes)) return changed;
    for (const username of earlier.#offsets.keys()) {
      if (this.credentialsOf(username) !== earlier.credentialsOf(username)) changed.add(username);
    }
    return changed;
  }

  #add(line: string, start: number, refuse: Refuse): void {
    const { user, hash, verifiers } = parseLine(line, refuse);
    if (this.#offsets.has(user)) refuse(1, `the user ${user} is listed twice`, 'remove one of the two lines');
    const end = start + Buffer.byteLength(user);
    // Read once more: a part of the line would keep the line.
    this.#offsets.set(this.#bytes.toString('utf8', start, end), end + 1);
    if (!this.#samples.has(hash.cost)) this.#samples.set(hash.cost, hash);
    if (verifiers.length > 0) this.#example = user;
    for (const { mechanism, iterations } of verifiers) {
      const known = this.#iterations.get(mechanism);
      if (known === undefined) this.#iterations.set(mechanism, new Set([iterations]));
      else known.add(iterations);
    }
  }
}

/** The lines of a file, without the empty one that a final line break would make. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

type Refuse = (column: number, message: string, hint: string) => never;

interface Line {
  readonly user: string;
  readonly hash: PasswordHash;
  readonly verifiers: readonly Pick<Verifier, 'mechanism' | 'iterations'>[];
}

function parseLine(line: string, refuse: Refuse): Line {
  if (line.trim() === '') refuse(1, 'a blank line', 'remove it, or make it a comment with #');
  const [user = '', first, ...rest] = line.split(':');
  if (first === undefined) refuse(1, 'no colon between user name and hash', 'set the password with moat passwd');
  const problem = usernameProblem(user);
  if (problem) refuse(1, `the user name ${JSON.stringify(user)} ${problem}`, 'choose another name');
  const again = 'set the password again with moat passwd';
  const hash = parseHash(first);
  if (!hash) refuse(user.length + 2, `the hash of ${user} is not Argon2id, scrypt, $7$ or $6$, or too dear`, again);
  let column = user.length + first.length + 3;
  const verifiers = rest.map((text) => {
    const kind = verifierKind(text);
    if (!kind) refuse(column, `what follows the hash of ${user} is no SCRAM verifier`, again);
    column += text.length + 1;
    return kind;
  });
  if (new Set(verifiers.map(({ mechanism }) => mechanism)).size < verifiers.length)
    refuse(user.length + first.length + 3, `${user} has two verifiers of one mechanism`, again);
  return { user, hash, verifiers };
}
