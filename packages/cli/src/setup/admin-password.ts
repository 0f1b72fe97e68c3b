import { randomBytes } from 'node:crypto';

/** 144 random bits, as 24 letters, digits, hyphens and underscores. */
export function makePassword(): string {
  const password = randomBytes(18).toString('base64url');
  // A leading hyphen would be taken for an option.
  return password.startsWith('-') ? makePassword() : password;
}
