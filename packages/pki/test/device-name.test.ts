import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDeviceName, createAuthority, issueDeviceCertificate } from '@moat/pki';
import { pkiError } from './helpers/codes.js';

const refused: Readonly<Record<string, readonly string[]>> = {
  'an empty name': [''],
  'a name of more than 64 characters': ['a'.repeat(65), '🦫'.repeat(65)],
  'a control character': ['a\0b', 'a\nb', '\u007f', '\u0085', 'a\u009fb'],
  'a character that nobody sees': ['pump\u200b7', '\u202epump', 'a\ufeff', 'a\u2028b', '\ud800', 'a\udfff', 'a\uffff'],
  'a character that is as good as nothing, or as a space': [
    'pump-7\ufe0f',
    'pump\u034f7',
    'pump\u115f',
    '\u3164',
    '\u2800',
    'pump\u00a07',
    'pump\u20037',
    '\u{e0100}',
  ],
  'a character for private use, which no user name may hold': ['pump\ue000', '\u{10fffd}'],
  'another spelling of a name that looks the same': ['e\u0301', '\u212b'],
  'a space at either end': [' pump', 'pump '],
  'a character with a meaning in topics and client IDs': ['a/b', '+', 'a+', '#', 'a#', 'pump:7', ':'],
  'a name for topics of the broker': ['$SYS', '$'],
  'a path': ['.', '..'],
};

for (const [what, names] of Object.entries(refused)) {
  test(`${what} is refused as the name of a device`, () => {
    for (const name of names) {
      assert.throws(() => assertDeviceName(name), pkiError('pki.invalid_name'), JSON.stringify(name));
    }
  });
}

test('other names are accepted', () => {
  const names = [
    'a',
    'pump-7',
    'Pumpe 7',
    'a.b_c',
    'a$b',
    '...',
    '漢字',
    '🦫'.repeat(64),
    'a'.repeat(64),
    'x@example.com',
  ];
  for (const name of names) assertDeviceName(name);
});

test('a refused name is shown without its control characters, and with what to do', () => {
  assert.throws(
    () => assertDeviceName('a\u001b[2Jb'),
    (error: Error & { hint?: string; exitCode?: number }) =>
      !error.message.includes('\u001b') && error.hint !== undefined && error.exitCode === 2,
  );
});

test('no certificate is issued for a refused name', async () => {
  const now = new Date();
  const authority = await createAuthority({ now });
  const issued = issueDeviceCertificate(authority, { name: 'a/b', days: 1, now });
  await assert.rejects(issued, pkiError('pki.invalid_name'));
});
