// biome-ignore-all lint/suspicious/noTemplateCurlyInString: text that looks like variables
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { needs, startMosquitto, temporaryDirectory } from '@moat/testkit';
import { OperatorErrors } from '../../dist/errors.js';
import { Policy } from '../../dist/policy/compile.js';
import { isAcl, readAcl } from '../../dist/policy/mosquitto-acl.js';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { publish, subscribe } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import type { RawClient } from '../support/raw-client.js';

const acl = `# everybody who has no name
topic read public/#
topic write public/in

user alice
topic alice/#
topic read shared/+
topic write log/alice
topic deny alice/secret
topic deny own/alice/no
topic readwrite docs/with space
user bob
topic readwrite bob
topic read alice/open
topic +/plus/#
topic $own/bob

user observer
topic #
topic $own/#

pattern readwrite own/%u/#
pattern read clients/%c/in
pattern write clients/%c/out
pattern read mixed/x-%u-%c
pattern deny own/+/never
pattern sync/#
`;

interface Client {
  readonly username?: string;
  readonly clientId: string;
}

const clients: readonly Client[] = [
  { clientId: 'nameless' },
  { username: 'alice', clientId: 'a1' },
  { username: 'bob', clientId: 'b1' },
  { username: 'carol', clientId: 'c1' },
];

const topics = [
  'public/a',
  'public/in',
  'alice',
  'alice/open',
  'alice/secret',
  'alice/secret/deeper',
  'shared/a',
  'shared/a/b',
  'log/alice',
  'own/alice/x',
  'own/alice/no',
  'own/bob/x',
  'own/carol/never',
  'own/',
  'docs/with space',
  'bob',
  'bob/x',
  'x/plus/y/z',
  '$own/bob',
  'clients/a1/in',
  'clients/a1/out',
  'clients/nameless/in',
  'mixed/x-alice-a1',
  'elsewhere',
];

/** What each client can do with each topic, found out by doing it: `rw`, `r-`, `-w` or `--`. */
async function outcomes(
  port: number,
  who: readonly Client[],
  what: readonly string[],
): Promise<Record<string, string>> {
  const open = (client: Client) =>
    connected(port, 4, client.username === undefined ? client : { ...client, password: 'x' });
  const observer = await open({ username: 'observer', clientId: 'observer' });
  observer.send(subscribe(4, 1, { '#': 0, '$own/#': 0 }));
  await readPacket(observer);
  const found: Record<string, string> = {};
  for (const client of who) {
    const peer = await open(client);
    for (const [index, topic] of what.entries()) {
      peer.send(subscribe(4, 1, { 'sync/#': 0, [topic]: 0 }));
      await readPacket(peer);
      const mark = `${client.clientId}-${index}`;
      const writes = await passes(peer, observer, topic, `w${mark}`);
      const reads = await passes(observer, peer, topic, `r${mark}`);
      found[`${client.username ?? '-'} ${client.clientId} ${topic}`] = `${reads ? 'r' : '-'}${writes ? 'w' : '-'}`;
    }
    peer.end();
  }
  observer.end();
  return found;
}

/** Whether a message gets from one to the other, before one that always does. */
async function passes(from: RawClient, to: RawClient, topic: string, mark: string): Promise<boolean> {
  from.send(publish(4, topic, mark) + publish(4, 'sync/end', mark));
  let seen = false;
  for (;;) {
    const packet = await readPacket(to);
    if (packet === publish(4, 'sync/end', mark)) return seen;
    if (packet === publish(4, topic, mark)) seen = true;
  }
}

/** Without a bound on its queues, Mosquitto 2.0.11 closes the connection of whoever it denies a PUBLISH. */
const linesFor = (file: string): string[] => [`acl_file ${file}`, 'max_queued_messages 1000', 'set_tcp_nodelay true'];

async function startMoat(t: test.TestContext, list: string) {
  const names = ['alice', 'bob', 'carol', 'observer'];
  const files = { acl: list, passwords: await passwordFile(Object.fromEntries(names.map((name) => [name, 'x']))) };
  const running = await startBroker({ authorization: { acl_file: 'acl' } }, { files });
  t.after(running.stop);
  return running;
}

test('The same list has the same outcomes as with Mosquitto', needs('mosquitto'), async (t) => {
  const file = join(await temporaryDirectory(t), 'acl');
  await writeFile(file, acl, { mode: 0o644 });
  const mosquitto = await startMosquitto(t, { lines: linesFor(file) });
  const moat = await startMoat(t, acl);
  const theirs = await outcomes(mosquitto.port, clients, topics);
  const ours = await outcomes(moat.port, clients, topics);
  assert.deepEqual(ours, theirs);
  for (const rights of ['rw', 'r-', '-w', '--'])
    assert.ok(Object.values(theirs).includes(rights), `none has ${rights}`);
});

test('Where the outcomes differ, it is as the guide says', needs('mosquitto'), async (t) => {
  const list =
    'user alice\ntopic a/#\npattern deny a/no\npattern clients/%c/in\npattern sync/#\nuser observer\ntopic #\n';
  const file = join(await temporaryDirectory(t), 'acl');
  await writeFile(file, list, { mode: 0o644 });
  const mosquitto = await startMosquitto(t, { lines: linesFor(file) });
  const moat = await startMoat(t, list);
  const who = [{ username: 'alice', clientId: 'x/y' }];
  const what = ['a/no', 'clients/x/y/in'];
  assert.deepEqual(Object.values(await outcomes(mosquitto.port, who, what)), ['rw', 'rw']);
  assert.deepEqual(Object.values(await outcomes(moat.port, who, what)), ['--', '--']);
  // A subscription must lie within what may be read; Mosquitto takes any, and holds the messages back.
  for (const [port, codes] of [
    [mosquitto.port, '00 00'],
    [moat.port, '80 00'],
  ] as const) {
    const client = await connected(port, 4, { username: 'alice', password: 'x', clientId: 'z' });
    client.send(subscribe(4, 1, { '#': 0, 'a/+': 0 }));
    await client.expect(`90 04 0001 ${codes}`);
    client.end();
  }
});

describe('Reading an access control list', () => {
  const table: [title: string, text: string, mistakes: string[]][] = [
    ['a word that there is not', 'users alice', ['1:1: there is no users in an access control list']],
    ['an access that there is not', '\ntopic reed a', ['2:1: "reed" is no kind of access']],
    ['no user', 'user  ', ['1:1: user without a name']],
    [
      'a filter that is none',
      'topic read a#\r\npattern a/#/b',
      ['1:1: the topic filter "a#"', '2:1: the topic filter'],
    ],
    ['a name of every object', 'topic constructor a', ['1:1: "constructor" is no kind of access']],
    ['no filter', 'topic', ['1:1: the topic filter ""']],
  ];
  for (const [title, text, expected] of table) {
    it(`refuses ${title}, and says where`, () => {
      assert.throws(
        () => readAcl(text, 'acl'),
        (error) => {
          assert.ok(error instanceof OperatorErrors);
          const mistakes = error.errors.map(String);
          assert.equal(mistakes.length, expected.length);
          for (const [index, wanted] of expected.entries())
            assert.ok(mistakes[index]?.startsWith(`acl:${wanted}`), mistakes[index]);
          return true;
        },
      );
    });
  }

  it('gives nothing for an empty one but the right to connect', () => {
    const bound = Policy.of(readAcl('# nothing\n', 'acl'), 'deny').bind({
      username: undefined,
      clientId: 'c',
      method: 'anonymous',
      address: '',
      listener: '',
    });
    assert.equal(bound.decide('connect', 'c').allowed, true);
    assert.equal(bound.decide('publish', 'a').allowed, false);
  });

  it('takes %u and %c for the names and nothing else, and ${…} for text', () => {
    const bound = Policy.of(readAcl('pattern a/%u/%%/${username}\ntopic b/%u\n', 'acl'), 'deny').bind({
      username: 'u',
      clientId: 'c',
      method: 'anonymous',
      address: '',
      listener: '',
    });
    assert.equal(bound.decide('publish', 'a/u/%%/${username}').allowed, true);
    assert.equal(bound.decide('publish', 'a/u/%%/u').allowed, false);
    assert.equal(bound.decide('publish', 'b/%u').allowed, true);
    assert.equal(bound.decide('publish', 'b/u').allowed, false);
  });

  it('is told from a policy by its first line', () => {
    for (const text of ['# a\n\nuser bob\n', 'topic read a', 'pattern a']) assert.equal(isAcl(text), true);
    for (const text of ['', '# topic a\nrules: []', 'topic: a']) assert.equal(isAcl(text), false);
  });
});
