import { assertDeviceName } from './device-name.js';
import { PkiError } from './errors.js';

/**
 * Checks what an invite may name: a device, or a pattern that begins with some text of its own and holds one `*`. A lone
 * `*` would let its bearer take any name that nobody has yet, such as one that a policy speaks of.
 *
 * @throws PkiError `pki.invalid_name`
 */
export function assertNamePattern(names: string): void {
  const [before = '', ...after] = names.split('*');
  if (after.length > 1 || (after.length === 1 && before === '')) {
    const hint = 'write a prefix and one *, such as pump-*';
    throw new PkiError('pki.invalid_name', `${JSON.stringify(names)} is no pattern of device names`, { hint });
  }
  assertDeviceName(names.replace('*', 'x'));
}

export function isPattern(names: string): boolean {
  return names.includes('*');
}

/** Whether a name is the one that an invite is for, or matches its pattern: `*` stands for at least one character. */
export function nameMatches(names: string, name: string): boolean {
  const [before = '', after] = names.split('*');
  if (after === undefined) return name === names;
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
}
