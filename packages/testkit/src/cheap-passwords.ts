import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

/** As mosquitto_passwd 2.0 does by default. */
const iterations = 101;

/** A password file in Mosquitto's format, with hashes that cost next to nothing. */
export async function writeCheapPasswords(file: string, users: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(users).map(([user, password]) => {
    const salt = randomBytes(12);
    const hash = pbkdf2Sync(password, salt, iterations, 64, 'sha512');
    return `${user}:$7$${iterations}$${salt.toString('base64')}$${hash.toString('base64')}\n`;
  });
  await writeFile(file, lines.join(''), { mode: 0o600 });
}
