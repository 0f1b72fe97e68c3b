import { PkiError } from './errors.js';

/** ub-common-name (RFC 5280 appendix A.1). */
const LONGEST_NAME = 64;

/**
 * Controls, invisible format characters and fillers, lone surrogates, private ones, spaces of other kinds, line separators:
 * what could make two names look alike, or is no user name.
 */
const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;

const hint = 'use 1 to 64 letters, digits, hyphens, dots or underscores';

/**
 * Checks that a name can be a device's identity: it becomes the common name of a certificate, one level of a
 * topic (`devices/NAME/#`), the part of a client ID before the colon, and may name a directory.
 *
 * @throws PkiError `pki.invalid_name`
 */
export function assertDeviceName(name: string): void {
  const fault = faultOf(name);
  if (fault) throw new PkiError('pki.invalid_name', `device name ${JSON.stringify(name)} ${fault}`, { hint });
}

function faultOf(name: string): string | undefined {
  if (name === '') return 'is empty';
  if ([...name].length > LONGEST_NAME) return `is longer than ${LONGEST_NAME} characters`;
  if (INVISIBLE.test(name)) return 'holds a control or invisible character';
  if (name !== name.normalize('NFC')) return 'is not in Unicode normalization form C';
  if (name !== name.trim()) return 'begins or ends with a space';
  const special = /[/+#:]/.exec(name);
  if (special) return `holds "${special[0]}", which has a meaning in topics and client IDs`;
  if (name.startsWith('$')) return 'begins with "$", which is kept for topics of the broker';
  if (name === '.' || name === '..') return 'is a path';
  return undefined;
}
