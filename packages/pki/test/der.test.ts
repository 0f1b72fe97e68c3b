import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DerCursor, DerError, isTrue, objectIdentifier, serialNumber, Tag, text, time } from '../dist/der.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const cursor = (hex: string): DerCursor => new DerCursor(bytes(hex));
const at = (hex: string): DerCursor => cursor(hex).next();

function fails(read: () => unknown, message: RegExp): void {
  assert.throws(read, (error) => error instanceof DerError && message.test(error.message));
}

describe('What is no DER is refused', () => {
  const malformed: readonly (readonly [title: string, hex: string, message: RegExp])[] = [
    ['nothing', '', /ends too early/],
    ['a tag alone', '30', /ends too early/],
    ['a tag of several octets', '3f 81 01 00', /tag of several octets/],
    ['an indefinite length', '30 80 00 00', /indefinite or absurd/],
    ['a length of five octets', '30 85 01 00 00 00 00', /indefinite or absurd/],
    ['a length that is cut off', '30 82 01', /ends too early/],
    ['a length that fits in one octet', '30 81 01 00', /not minimal/],
    ['a length with a zero in front', '30 82 00 80', /not minimal/],
    ['less than was said', '04 02 00', /longer than what holds it/],
  ];
  for (const [title, hex, message] of malformed) test(title, () => fails(() => at(hex), message));

  test('an element longer than what it is in', () => {
    const inside = at('30 03 04 02 00 ff').inside();
    fails(() => inside.next(), /longer than what holds it/);
    fails(() => at('30 01 04 00').inside().next(), /ends too early/);
  });

  test('another tag than was expected', () =>
    fails(() => cursor('04 00').next(Tag.sequence), /tag 0x4 in place of 0x30/));

  const values: readonly (readonly [title: string, read: () => unknown, message: RegExp])[] = [
    ['an object identifier of nothing', () => objectIdentifier(at('06 00')), /cut off/],
    ['one that is cut off', () => objectIdentifier(at('06 02 2a 86')), /cut off/],
    ['one with a zero in front of a number', () => objectIdentifier(at('06 03 2a 80 01')), /not minimal/],
    ['one of absurd numbers', () => objectIdentifier(at('06 0a 2a ff ff ff ff ff ff ff ff 7f')), /absurd/],
    ['an integer of nothing', () => serialNumber(at('02 00')), /empty integer/],
  ];
  for (const [title, read, message] of values) test(title, () => fails(read, message));
});

const timeOf = (tag: number, written: string): number =>
  time(new DerCursor(Buffer.concat([Buffer.of(tag, written.length), Buffer.from(written)])));

test('times are read of both kinds, and the century of the short one follows from the year', () => {
  assert.equal(timeOf(Tag.utcTime, '491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59));
  assert.equal(timeOf(Tag.utcTime, '500101000000Z'), Date.UTC(1950, 0, 1));
  assert.equal(timeOf(Tag.generalizedTime, '20240229120000Z'), Date.UTC(2024, 1, 29, 12));
  assert.equal(timeOf(Tag.generalizedTime, '99991231235959Z'), Date.UTC(9999, 11, 31, 23, 59, 59));
});

test('a time that there is not is refused, and does not become another one', () => {
  for (const written of [
    '260631000000Z',
    '261301000000Z',
    '260100000000Z',
    '260101240000Z',
    '260101006000Z',
    '2601010000Z',
  ])
    fails(() => timeOf(Tag.utcTime, written), /a time that is none/);
  for (const written of [
    '20260229000000Z',
    '00500101000000Z',
    '20260101000000.5Z',
    '20260101000000+0100',
    '20260101000060Z',
  ])
    fails(() => timeOf(Tag.generalizedTime, written), /a time that is none/);
});

test('whatever BER takes for true is true', () => {
  assert.deepEqual(
    ['01 01 ff', '01 01 01', '01 01 00', '01 00'].map((hex) => isTrue(at(hex))),
    [true, true, false, false],
  );
});

test('numbers are read as others write them', () => {
  assert.equal(objectIdentifier(at('06 03 55 04 03')), '2.5.4.3');
  assert.equal(objectIdentifier(at('06 03 88 37 03')), '2.999.3');
  assert.deepEqual(
    ['02 02 00 80', '02 01 00', '02 01 7f'].map((hex) => serialNumber(at(hex))),
    ['80', '00', '7f'],
  );
});

test('text is read by its encoding, or is none', () => {
  const cases: readonly (readonly [tag: number, hex: string, wanted: string | undefined])[] = [
    [Tag.utf8String, 'c3bc', 'ü'],
    [Tag.utf8String, 'efbbbf41', '\ufeffA'],
    [Tag.utf8String, 'c0af', undefined],
    [Tag.utf8String, 'eda080', undefined],
    [Tag.printableString, '4100', 'A\0'],
    [Tag.printableString, 'fc', undefined],
    [Tag.ia5String, '80', undefined],
    [Tag.visibleString, '41', 'A'],
    [Tag.teletexString, 'fc', 'ü'],
    [Tag.bmpString, '004100fc', 'Aü'],
    [Tag.bmpString, '0041fc', undefined],
    [Tag.integer, '41', undefined],
  ];
  for (const [tag, hex, wanted] of cases) assert.equal(text(tag, bytes(hex)), wanted, `${tag} ${hex}`);
});
