import { randomBytes } from 'node:crypto';

/** A hash of nobody's password at the cost that `moat passwd` takes; each has a salt of its own. */
function hashOfNothing(): string {
  const base64 = (bytes: number): string => randomBytes(bytes).toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=19456,t=2,p=1$${base64(16)}$${base64(32)}`;
}

/** A password file of so many users, `device-000000` and so on. */
export function passwordFileOf(users: number): Buffer {
  const lines = Array.from({ length: users }, (_, index) => `${userName(index)}:${hashOfNothing()}\n`);
  return Buffer.from(lines.join(''));
}

export function userName(index: number): string {
  return `device-${String(index).padStart(6, '0')}`;
}
