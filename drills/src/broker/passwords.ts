import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { setPassword } from '@moat/broker';
import { deriveKeys, leastIterations, type Mechanism, mechanismNames } from '@moat/scram';

/** A password file as Moat makes it: Argon2id, and SCRAM verifiers, which are made cheaply here: to check one costs the same. */
export async function writePasswords(file: string, users: Readonly<Record<string, string>>): Promise<void> {
  for (const [user, password] of Object.entries(users)) await setPassword(file, user, password, { scram: false });
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const whole = lines.map(async (line) => {
    const [user = ''] = line.split(':', 1);
    return [line, ...(await verifiersOf(users[user] ?? ''))].join(':');
  });
  await writeFile(file, `${(await Promise.all(whole)).join('\n')}\n`);
}

function verifiersOf(password: string): Promise<string[]> {
  return Promise.all(mechanismNames.map((mechanism) => verifierOf(mechanism, password)));
}

async function verifierOf(mechanism: Mechanism, password: string): Promise<string> {
  const salt = randomBytes(16);
  const { storedKey, serverKey } = await deriveKeys(mechanism, password, salt, leastIterations);
  const fields = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'));
  return `$${mechanism.toLowerCase()}$i=${leastIterations}$${fields.join('$')}`;
}
