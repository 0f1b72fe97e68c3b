import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfiguration } from '../../dist/config/load.js';
import { OperatorErrors } from '../../dist/errors.js';

function mistakesIn(text: string): string[] {
  try {
    parseConfiguration(text, 'moat.yaml');
  } catch (error) {
    assert.ok(error instanceof OperatorErrors);
    return error.errors.map((mistake) => `${mistake.code} ${mistake.toString().replace('moat.yaml:', '')}`);
  }
  return assert.fail('the configuration was accepted');
}

describe('a mistake in the configuration', () => {
  const table: [title: string, text: string, mistakes: string[]][] = [
    ['is text that is not YAML', 'a: b: c', ['config.syntax 1:4: ']],
    ['is a key given twice', 'log: {}\nlog: {}', ['config.syntax 2:1: Map keys must be unique']],
    ['is a file that is a list', '- 1', ['config.invalid_value 1:1: the file must be a map of keys and values']],
    ['is an unknown key', 'lstener: 1', ['config.unknown_key 1:1: unknown key lstener (did you mean listeners?)']],
    ['is a key like no other', 'zebra: 1', ['config.unknown_key 1:1: unknown key zebra']],
    [
      'is a key with a name that objects have',
      '__proto__: {}\nconstructor: 1',
      ['config.unknown_key 1:1: ', 'config.unknown_key 2:1: '],
    ],
    [
      'is a key in the wrong section',
      'max_packet_size: 1',
      ['config.unknown_key 1:1: unknown key max_packet_size (it belongs in limits)'],
    ],
    [
      'is a key of another protocol',
      'listeners:\n- protocol: mqtt\n  certfile: a',
      ['config.unknown_key 3:3: unknown key certfile in listeners[0] (it goes with protocol: mqtts or protocol: wss)'],
    ],
    [
      'is a name that no certificate has',
      'listeners:\n- protocol: mqtts\n  use_identity_as_username: surname',
      ['config.invalid_value 3:29: listeners[0].use_identity_as_username must be one of cn, o, ou, san_dns, '],
    ],
    [
      'is the same listener twice, on a free port too',
      'listeners: [{ protocol: mqtt, port: 0 }, { protocol: ws, port: 0 }, { protocol: mqtt, port: 0 }]',
      ['config.invalid_value 1:69: two listeners on mqtt://127.0.0.1:0'],
    ],
    [
      'is one of two policies',
      'authorization:\n  policy_file: policy.yaml\n  acl_file: acl',
      ['config.invalid_value 3:13: acl_file beside policy_file'],
    ],
    [
      'is a responder that cannot be asked',
      'listeners:\n- protocol: wss\n  ocsp_responder: ldap://ca.example.com',
      ['config.invalid_value 3:19: '],
    ],
    [
      'is a protocol that there is not',
      'listeners: [{ protocol: mqtss }]',
      [
        'config.invalid_value 1:25: listeners[0].protocol must be one of mqtt, mqtts, ws, wss, not "mqtss" (did you mean mqtts?)',
      ],
    ],
    [
      'is a protocol left out',
      'listeners:\n- port: 1',
      ['config.invalid_value 2:3: listeners[0].protocol is missing: it must be one of'],
    ],
    ['is a key without value', 'log:', ['config.invalid_value 1:5: log has no value (give it one, or remove the key)']],
    ['is no listener at all', 'listeners: []', ['config.invalid_value 1:12: listeners must hold at least 1 entry']],
    [
      'is a value of the wrong type, out of range or unheard of, and all are told',
      'limits: { max_packet_size: 1M, receive_maximum: 0, max_keepalive: 65536, profile: strct, connect_timeout: 1.5 }',
      [
        'config.invalid_value 1:28: limits.max_packet_size must be a whole number, not "1M"',
        'config.invalid_value 1:49: limits.receive_maximum must be at least 1, not 0',
        'config.invalid_value 1:67: limits.max_keepalive must be at most 65535, not 65536',
        'config.invalid_value 1:83: limits.profile must be one of strict, standard, off, not "strct" (did you mean strict?)',
        'config.invalid_value 1:107: limits.connect_timeout must be a whole number, not 1.5',
      ],
    ],
    [
      'is an engine of another time',
      'storage: { engine: lmbd }',
      ['config.invalid_value 1:20: storage.engine must be one of lmdb, memory, not "lmbd" (did you mean lmdb?)'],
    ],
    [
      'is an address that is none',
      'listeners: [{ protocol: mqtt, bind: 127.0.0.256 }]',
      ['config.invalid_value 1:37: listeners[0].bind must be an IP address'],
    ],
    [
      'is cipher suites that are none',
      'listeners: [{ protocol: mqtts, ciphers: ROT13 }]',
      ['config.invalid_value 1:41: listeners[0].ciphers names no cipher'],
    ],
    [
      'is an admin address that others can reach',
      'admin: { http: "0.0.0.0:9883" }',
      ['config.invalid_value 1:16: admin.http must be off, or a loopback'],
    ],
    [
      'is two listeners on one port',
      'listeners: [{ protocol: mqtts }, { protocol: wss, port: 8883 }]',
      ['config.invalid_value 1:34: two listeners on *:8883'],
    ],
    [
      'is a plain listener that others can reach',
      'listeners:\n- { protocol: mqtt, bind: 192.0.2.1 }\n- protocol: ws\n  bind: "*"',
      [
        'config.unsafe 2:27: this mqtt listener would send passwords and messages unencrypted to 192.0.2.1 (use mqtts, ',
        'config.unsafe 4:9: this ws listener would send passwords and messages unencrypted to * (use wss, ',
      ],
    ],
    [
      'is anonymous access from elsewhere',
      'authentication: { allow_anonymous: true }',
      ['config.unsafe 1:36: allow_anonymous would let anybody in through the mqtts listener on *:8883'],
    ],
  ];
  for (const [title, text, expected] of table) {
    it(title, () => {
      const mistakes = mistakesIn(text);
      assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
      for (const [index, mistake] of mistakes.entries()) {
        assert.ok(mistake.startsWith(expected[index] ?? ''), `${mistake}\nis not\n${expected[index]}`);
      }
    });
  }
});

describe('what is unsafe', () => {
  it('is accepted in so many words', () => {
    const { listeners } = parseConfiguration(
      'listeners: [{ protocol: mqtt, bind: 0.0.0.0, expose_plaintext: true }]\n' +
        'authentication: { allow_anonymous: true, expose_anonymous: true }',
      'moat.yaml',
    );
    assert.equal(listeners[0]?.bind, '0.0.0.0');
  });

  it('is not so on loopback addresses', () => {
    for (const bind of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      const text = `listeners: [{ protocol: ws, bind: "${bind}" }]\nauthentication: { allow_anonymous: true }`;
      assert.equal(parseConfiguration(text, 'moat.yaml').authentication.allow_anonymous, true);
    }
  });

  it('is not anonymous access when it is off', () => {
    assert.doesNotThrow(() => parseConfiguration('authentication: { expose_anonymous: true }', 'moat.yaml'));
  });
});

describe('a value', () => {
  it('of use_identity_as_username is cn when true', () => {
    const { listeners } = parseConfiguration(
      'listeners: [{ protocol: wss, use_identity_as_username: true }]',
      'moat.yaml',
    );
    assert.ok(listeners[0]?.protocol === 'wss');
    assert.equal(listeners[0].use_identity_as_username, 'cn');
  });

  it('of admin.http is off or taken apart', () => {
    const http = (value: string) => parseConfiguration(`admin: { http: "${value}" }`, 'moat.yaml').admin.http;
    assert.equal(http('off'), 'off');
    assert.deepEqual(http('127.0.0.1:9883'), { host: '127.0.0.1', port: 9883 });
    assert.deepEqual(http('[::1]:1'), { host: '::1', port: 1 });
  });
});
