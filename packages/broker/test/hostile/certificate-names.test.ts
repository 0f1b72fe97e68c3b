import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { needs } from '@moat/testkit';
import type { Log } from '../../dist/index.js';
import { portOf, silent, startBroker } from '../support/broker.js';
import { returnCodeFor, secureProtocols } from '../support/certificate-listener.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { OpensslAuthority } from '../support/openssl-authority.js';

/*
 * Names in certificates that are not what they seem. CVE-2021-44532 and its kin: names that were put into one line of
 * text, and taken apart again where they had a comma or a NUL in them.
 */
const bearers = new Map<string, ClientIdentity>();
const outcomes: string[] = [];
const log: Log = {
  ...silent,
  info: (fields: unknown) => {
    const { event, reason, username } = fields as { event?: string; reason?: string; username?: string };
    if (event === 'auth.failed') outcomes.push(reason ?? '');
    if (event === 'client.connected') outcomes.push(`welcome, ${username}`);
  },
};

/** An alternative name, tag and content, in an extension. */
const der = (...names: readonly string[]): string => {
  const all = names.join('');
  return `subjectAltName = DER:30${(all.length / 2).toString(16).padStart(2, '0')}${all}`;
};
const name = (tag: string, text: string): string =>
  `${tag}${text.length.toString(16).padStart(2, '0')}${Buffer.from(text, 'latin1').toString('hex')}`;
const [dns, uri] = ['82', '86'];

const tricks: readonly (readonly [title: string, extension: string, outcome: RegExp])[] = [
  ['one DNS name', der(name(dns, 'pump.example')), /^welcome, pump\.example$/],
  [
    'a DNS name among names of other kinds',
    der(name(uri, 'urn:admin'), name(dns, 'pump.example')),
    /^welcome, pump\.example$/,
  ],
  ['an embedded NUL', der(name(dns, 'admin\0.evil.example')), /its san_dns is none/],
  ['a comma and another name', der(name(dns, 'pump.example, DNS:admin')), /its san_dns is none/],
  ['a quotation mark', der(name(dns, 'pump.example", DNS:"admin')), /its san_dns is none/],
  ['two names', der(name(dns, 'pump.example'), name(dns, 'admin')), /it has 2 san_dns/],
  ['a wildcard', der(name(dns, '*.example')), /pattern/],
  ['bytes that are not ASCII', der(name(dns, 'p\xfcmp')), /CERT_MALFORMED, a name with bytes that are not ASCII/],
  ['another kind only', der(name(uri, 'urn:admin')), /it has no san_dns/],
  ['an IP address', 'subjectAltName = IP:127.0.0.1', /it has no san_dns/],
  ['a kind of its own', 'subjectAltName = otherName:1.2.3.4;UTF8:admin', /it has no san_dns/],
  ['no alternative name, but a common name', '', /it has no san_dns/],
  ['an element that is longer than what holds it', 'subjectAltName = DER:3003820541', /^certificate_invalid: /],
];

const subjects: readonly (readonly [title: string, subject: string, outcome: RegExp])[] = [
  ['one common name', '/O=Plant/CN=pump', /^welcome, pump$/],
  ['letters of other scripts', '/CN=温度计', /^welcome, 温度计$/],
  ['two common names', '/CN=pump/CN=admin', /it has 2 cn/],
  ['two common names in one part', '/CN=pump+CN=admin', /it has 2 cn/],
  ['no common name', '/O=admin', /it has no cn/],
  ['a topic', '/CN=devices\\/#', /holds one of/],
  ['a wildcard', '/CN=*', /pattern/],
  ['a line break', '/CN=pump\nCN=admin', /cannot be printed/],
];

async function prepare(directory: string): Promise<void> {
  await TestAuthority.create(directory);
  const root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
  await writeFile(join(directory, 'clients.crt'), root.certificate);
  for (const [title, extension] of tricks)
    bearers.set(title, await root.issue({ extensions: ['extendedKeyUsage = clientAuth', extension] }));
  for (const [title, subject] of subjects) bearers.set(`subject: ${title}`, await root.issue({ subject }));
}

const { broker, stop } = await startBroker(
  {
    authentication: {},
    listeners: [
      { protocol: 'mqtts', use_identity_as_username: 'san_dns' },
      { protocol: 'wss', use_identity_as_username: 'cn' },
    ].map((listener) => ({ ...listener, bind: '127.0.0.1', port: 0, cafile: 'clients.crt' })) as [],
  },
  { prepare, log },
);
after(stop);
const [mqtts, wss] = secureProtocols;

describe('A certificate whose alternative names are', needs('openssl'), () => {
  for (const [title, , outcome] of tricks) {
    it(`${title}`, async () => {
      const code = await returnCodeFor(mqtts, portOf(broker, mqtts), bearers.get(title));
      assert.match(outcomes.at(-1) ?? '', outcome);
      assert.equal(code === 0, outcome.source.startsWith('^welcome'));
    });
  }
});

describe('A certificate whose subject has', needs('openssl'), () => {
  for (const [title, , outcome] of subjects) {
    it(`${title}`, async () => {
      const code = await returnCodeFor(wss, portOf(broker, wss), bearers.get(`subject: ${title}`));
      assert.match(outcomes.at(-1) ?? '', outcome);
      assert.equal(code === 0, outcome.source.startsWith('^welcome'));
    });
  }
});
