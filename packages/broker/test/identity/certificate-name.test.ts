import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as holds, property, string } from 'fast-check';
import { type NameTemplate, nameFrom, parseNameTemplate } from '../../dist/identity/certificate-name.js';
import type { CertificateFacts, CertificateNames } from '../../dist/identity/principal.js';

const noNames: CertificateNames = { cn: [], o: [], ou: [], issuer_cn: [], san_dns: [], san_uri: [], san_email: [] };

const factsWith = (names: Partial<CertificateNames>, subject = 'CN=pump'): CertificateFacts => ({
  subject,
  issuer: 'CN=Plant CA',
  names: { ...noNames, ...names },
  serialNumber: '4d',
  fingerprint: 'ab'.repeat(32),
  validFrom: new Date(0),
  validTo: new Date(1),
});

function template(written: string): NameTemplate {
  const parsed = parseNameTemplate(written);
  assert.ok(typeof parsed === 'object', String(parsed));
  return parsed;
}

/** The name, or the problem. */
function made(written: string, facts: CertificateFacts): string {
  const found = nameFrom(facts, template(written));
  return 'name' in found ? found.name : found.problem;
}

describe('A user name from a certificate', () => {
  const facts = factsWith({
    cn: ['pump-7'],
    issuer_cn: ['Plant 4'],
    san_dns: ['Pump-7.Example.com'],
    san_uri: ['spiffe://example.com/pump-7'],
    san_email: ['pump@example.com'],
  });
  for (const [written, expected] of Object.entries({
    cn: 'pump-7',
    san_dns: 'pump-7.example.com',
    san_uri: 'spiffe%3A%2F%2Fexample.com%2Fpump-7',
    san_email: 'pump@example.com',
    subject: 'CN=pump',
    issuer: 'CN=Plant CA',
    issuer_cn: 'Plant 4',
    serial: '4d',
    fingerprint: 'ab'.repeat(32),
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: what a person writes
    '${cert.cn}.${cert.issuer_cn}': 'pump-7.Plant 4',
    'dev-${cert.cn}': 'dev-pump-7',
    '${cert.cn}@plant': 'pump-7@plant',
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: what a person writes
  })) {
    it(`is ${expected} by ${written}`, () => assert.equal(made(written, facts), expected));
  }

  for (const [title, written, names, problem] of [
    ['a name that is missing', 'cn', {}, /it has no cn/],
    ['one of two names', 'cn', { cn: ['admin', 'pump'] }, /it has 2 cn/],
    ['one of two alternative names', 'san_dns', { san_dns: ['a.example', 'b.example'] }, /it has 2 san_dns/],
    ['a wildcard', 'san_dns', { san_dns: ['*.example.com'] }, /pattern/],
    ['a wildcard in the common name', 'cn', { cn: ['*'] }, /pattern/],
    ['a DNS name with an embedded NUL', 'san_dns', { san_dns: ['admin\0.evil.example'] }, /san_dns is none/],
    ['a common name with an embedded NUL', 'cn', { cn: ['admin\0.evil'] }, /cannot be printed/],
    ['a DNS name with another inside', 'san_dns', { san_dns: ['a.example, DNS:admin'] }, /san_dns is none/],
    ['a DNS name with a trailing dot', 'san_dns', { san_dns: ['admin.'] }, /san_dns is none/],
    ['a DNS name that is too long', 'san_dns', { san_dns: [`${'a.'.repeat(127)}ab`] }, /san_dns is none/],
    ['an address without a host', 'san_email', { san_email: ['admin'] }, /san_email is none/],
    ['an address with two at signs', 'san_email', { san_email: ['admin@a@b'] }, /san_email is none/],
    ['a URI without scheme', 'san_uri', { san_uri: ['//admin'] }, /san_uri is none/],
    ['a URI with a line break', 'san_uri', { san_uri: ['urn:x\n'] }, /san_uri is none/],
    ['a topic', 'cn', { cn: ['a/#'] }, /holds one of/],
    ['bytes that are no text', 'cn', { cn: ['#04020102'] }, /holds one of/],
    ['65 characters', 'cn', { cn: ['x'.repeat(65)] }, /more than 64/],
  ] as const) {
    it(`is not ${title}`, () => assert.match(made(written, factsWith(names)), problem));
  }

  it('tells one certificate from another: two names in it do not run together', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
    const written = '${cert.cn}.${cert.issuer_cn}';
    const facts = (cn: string, issuer: string): CertificateFacts => factsWith({ cn: [cn], issuer_cn: [issuer] });
    assert.equal(made(written, facts('a', 'b.c')), 'a.b.c');
    assert.match(made(written, facts('a.b', 'c')), /a character of the text that follows/);
    const part = string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 5 });
    holds(
      property(part, part, part, part, (cn, issuer, otherCn, otherIssuer) => {
        const [one, other] = [
          nameFrom(facts(cn, issuer), template(written)),
          nameFrom(facts(otherCn, otherIssuer), template(written)),
        ];
        if ('name' in one && 'name' in other && one.name === other.name)
          assert.deepEqual([cn, issuer], [otherCn, otherIssuer]);
      }),
    );
  });

  it('is the same for no two URIs, whatever characters they hold', () => {
    const uri = string({ unit: 'grapheme-ascii', maxLength: 20 });
    holds(
      property(uri, uri, (one, other) => {
        const [name, otherName] = [one, other].map((end) =>
          nameFrom(factsWith({ san_uri: [`u:${end}`] }), template('san_uri')),
        );
        if (name && otherName && 'name' in name && 'name' in otherName && name.name === otherName.name)
          assert.equal(one, other);
      }),
    );
  });
});

describe('A template for user names', () => {
  for (const [written, problem] of Object.entries({
    common: /must be one of cn, o, ou/,
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: what a person writes
    '${cn}': /names \$\{cn\}, but a field is/,
    '${cert.age}': /names \$\{cert\.age\}, but/,
    '${cert.cn}${cert.o}': /needs a text between two fields/,
    '${cert.cn}:x': /holds one of/,
    '$${cert.cn}': /begins with \$/,
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: what a person writes
  })) {
    it(`is not ${written}`, () => assert.match(String(parseNameTemplate(written)), problem));
  }
});
