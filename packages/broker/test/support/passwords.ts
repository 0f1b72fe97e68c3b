import { hash } from '@node-rs/argon2';

/** A password file with hashes that cost next to nothing, so that tests do not spend their time on them. */
export async function passwordFile(users: Readonly<Record<string, string>>): Promise<string> {
  const cheap = { memoryCost: 8, timeCost: 1, parallelism: 1 };
  const lines = Object.entries(users).map(async ([user, password]) => `${user}:${await hash(password, cheap)}\n`);
  return (await Promise.all(lines)).join('');
}
