import {
  type ConnectFields,
  group,
  hex,
  packet,
  publish,
  subscribe,
  text,
  type Version,
  will,
} from '@moat/testkit/packets';
import type { PreparedBroker } from '../broker/broker.js';
import type { Drill, Run } from '../drill.js';
import { mark, markHex, newId, Stage } from '../stage.js';

/** One way round the policy. */
interface Way {
  /** What is tried. */
  readonly name: string;
  readonly versions: readonly Version[];
  /** What a right broker does. */
  readonly right: string;
  /** Whether it succeeded: a message arrived, or was lost, that should not have been. */
  evades(stage: Stage, version: Version): Promise<boolean>;
}

const every = [3, 4, 5] as const;
const dropped = 'nobody gets it';
const refused = 'refused, and nothing is delivered';

function speak(name: string, versions: readonly Version[], bytes: (version: Version) => string): Way {
  return {
    name,
    versions,
    right: dropped,
    evades: async (stage, version) => stage.speaks(await stage.mallory(version), bytes(version)),
  };
}

function listen(name: string, filters: readonly string[], topic?: string, versions: readonly Version[] = every): Way {
  const options = Object.fromEntries(filters.map((filter) => [filter, 0]));
  return {
    name,
    versions,
    right: refused,
    evades: async (stage, version) => stage.hears(await stage.mallory(version), subscribe(version, 1, options), topic),
  };
}

/** A client of another name or client ID, which hears or speaks of what its name seems to open. */
function disguised(name: string, fields: ConnectFields, filter: string, topic: string): Way {
  return {
    name,
    versions: [4, 5],
    right: refused,
    async evades(stage, version) {
      const heard = await stage.hears(
        await stage.mallory(version, fields),
        subscribe(version, 1, { [filter]: 0 }),
        topic,
      );
      return (await stage.speaks(await stage.mallory(version, fields), publish(version, topic, mark))) || heard;
    },
  };
}

/** Every way round the policy that we know of. */
const ways: readonly Way[] = [
  ...([0, 1, 2] as const).map((qos) =>
    speak(`publish to another's topic with QoS ${qos}`, every, (version) =>
      publish(version, 'secret/x', mark, { qos }),
    ),
  ),
  speak(
    'release a QoS 2 message that was denied',
    [4, 5],
    (version) => `${publish(version, 'secret/x', mark, { qos: 2 })}62020001`,
  ),
  speak('hide it among messages that are allowed', every, (version) =>
    ['open/a', 'open/a', 'secret/x', 'open/a']
      .map((topic) => publish(version, topic, topic === 'secret/x' ? mark : 'x'))
      .join(''),
  ),
  speak('the same topic again and again', every, (version) => publish(version, 'secret/x', mark).repeat(50)),
  ...[
    'secret',
    'secret/',
    'secret//x',
    'secret/x/',
    'open/closed',
    '/secret/x',
    'SECRET/x',
    'own/victim/x',
    'own//x',
    'own',
  ].map((topic) => speak(`publish to ${topic}`, [4, 5], (version) => publish(version, topic, mark))),
  speak('publish to the topics of the server', every, (version) => publish(version, '$SYS/attack', mark)),
  speak('publish through a shared subscription', [4, 5], (version) => publish(version, '$share/g/secret/x', mark)),
  speak(
    'name a forbidden topic by an alias',
    [5],
    () => publish(5, 'secret/x', 'x', { properties: '230001' }) + publish(5, '', mark, { properties: '230001' }),
  ),
  speak(
    'give the alias of an allowed topic to a forbidden one',
    [5],
    () =>
      publish(5, 'open/a', 'x', { properties: '230001' }) +
      publish(5, 'secret/x', mark, { properties: '230001' }) +
      publish(5, '', mark, { properties: '230001' }),
  ),
  {
    name: 'leave a will on a forbidden topic',
    versions: every,
    right: 'refused at CONNECT, and never published',
    async evades(stage, version) {
      const client = await stage.mallory(version, { will: will(version, 'secret/x', mark) });
      await stage.settle(client);
      client.end();
      const other = await stage.mallory(version, { clientId: newId('later') });
      await stage.settle(other);
      other.end();
      return stage.wasHeard();
    },
  },
  {
    name: 'delete the retained message of another',
    versions: every,
    right: 'it stays',
    async evades(stage, version) {
      const victim = await stage.connect(4, { username: 'victim', clientId: newId('keeper') });
      victim.send(publish(4, 'secret/kept', 'stays', { retain: true }));
      await stage.settle(victim);
      victim.end();
      const client = await stage.mallory(version);
      client.send(publish(version, 'secret/kept', '', { retain: true }));
      await stage.settle(client);
      client.end();
      return !(await stage.retained('secret/kept')).includes(Buffer.from('stays').toString('hex'));
    },
  },
  {
    name: 'read what is retained through a wide filter',
    versions: every,
    right: refused,
    async evades(stage, version) {
      const victim = await stage.connect(4, { username: 'victim', clientId: newId('keeper') });
      victim.send(publish(4, 'secret/retained', mark, { retain: true }));
      await stage.settle(victim);
      const client = await stage.mallory(version);
      client.send(subscribe(version, 1, { '#': 0, 'secret/+': 0 }));
      const read = (await stage.settle(client)).includes(markHex);
      client.end();
      victim.send(publish(4, 'secret/retained', '', { retain: true }));
      await stage.settle(victim);
      victim.end();
      await stage.wasHeard();
      return read;
    },
  },
  ...['secret/#', 'secret/x', 'secret/+', '#', '+/#', '+/+', '+/x', '/#'].map((filter) =>
    listen(`subscribe to ${filter}`, [filter]),
  ),
  listen('put a forbidden filter behind allowed ones', ['open/a', 'open/b', 'secret/#', 'open/c']),
  listen('share a forbidden filter', ['$share/g/secret/#'], undefined, [4, 5]),
  listen('share everything', ['$share/g/#'], undefined, [4, 5]),
  listen('share within a share', ['$share/g/$share/h/secret/#'], undefined, [4, 5]),
  listen('a share without a name', ['$share//secret/#'], undefined, [4, 5]),
  listen('a share with a name that is a filter', ['$share/+/secret/#'], undefined, [4, 5]),
  listen('what is denied within what is allowed', ['open/#'], 'open/closed'),
  listen('the topic that is denied, from below', ['open/closed/#', 'open/+'], 'open/closed'),
  listen('the trees of others', ['own/+/x', 'own/#'], 'own/victim/x'),
  disguised('a user name that is a wildcard', { username: '+' }, 'own/+/#', 'own/victim/x'),
  disguised('a user name that is every level', { username: '#' }, 'own/#', 'own/victim/x'),
  disguised('a user name with a level in it', { username: 'own/victim' }, 'own/own/victim/#', 'own/own/victim/x'),
  disguised('a client ID that is a wildcard', { clientId: '+' }, 'clients/+/#', 'clients/victim/x'),
  disguised('a client ID that is every level', { clientId: '#' }, 'clients/#', 'clients/victim/x'),
  disguised('a client ID with a level in it', { clientId: 'victim/x' }, 'clients/victim/x/#', 'clients/victim/x/y'),
  disguised('a client ID with a line break', { clientId: 'a\nb' }, 'clients/a\nb/#', 'clients/a\nb/x'),
  {
    name: 'take over the session of another, with what is queued in it',
    versions: [4, 5],
    right: 'refused; the session stays with its owner',
    async evades(stage, version) {
      const expiry = version === 5 ? { properties: '110000003c' } : {};
      const session = { clientId: `session-${version}`, cleanStart: false, ...expiry };
      const victim = await stage.connect(version, { username: 'victim', ...session });
      victim.send(subscribe(version, 1, { 'secret/#': 1 }));
      await stage.settle(victim);
      victim.end();
      const speaker = await stage.connect(4, { username: 'victim', clientId: newId('speaker') });
      speaker.send(publish(4, 'secret/queued', mark, { qos: 1 }));
      await stage.settle(speaker);
      speaker.end();
      const thief = await stage.mallory(version, session);
      const heard = (await stage.settle(thief)).includes(markHex);
      thief.end();
      const owner = await stage.connect(version, { username: 'victim', ...session });
      const kept = await stage.delivers(owner);
      owner.end();
      await stage.wasHeard();
      return heard || !kept;
    },
  },
  {
    name: 'properties that name another topic',
    versions: [5],
    right: dropped,
    evades: async (stage) =>
      stage.speaks(
        await stage.mallory(5),
        // A response topic and a user property are data, and lead nowhere.
        packet(
          '30',
          text('secret/x'),
          group(`08${text('open/a')}26${text('topic')}${text('open/a')}`),
          Buffer.from(mark).toString('hex'),
        ),
      ),
  },
  {
    name: 'subscribe with an identifier and a topic of its own',
    versions: [5],
    right: refused,
    evades: async (stage) =>
      stage.hears(await stage.mallory(5), packet('82', hex(1, 2), group('0b01'), text('secret/#') + hex(0x0c, 1))),
  },
];

async function run({ broker, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const stage = await Stage.open(broker);
  // Would it be seen? What is allowed gets through.
  const heard = await stage.speaks(await stage.mallory(4), publish(4, 'open/a', mark));
  const got = await stage.hears(await stage.mallory(4), subscribe(4, 1, { 'open/#': 0 }), 'open/a');
  const own = await stage.speaks(await stage.mallory(4), publish(4, 'own/mallory/x', mark));
  const works = heard && got && own;
  report({
    tried: 'what is allowed',
    happened: works ? 'it gets through' : 'it does not get through',
    survived: works,
  });
  const all = ways.flatMap((way) => way.versions.map((version) => ({ way, version })));
  for (const { way, version } of all.slice(0, amount.count)) {
    if (signal.aborted) break;
    const evaded = await way.evades(stage, version);
    report({
      tried: `${way.name}, version ${version}`,
      happened: evaded ? `it succeeds; right would be: ${way.right}` : way.right,
      survived: !evaded,
    });
  }
  stage.close();
}

const amount = { count: 200, seconds: 60 };

export const policyBypass: Drill = {
  name: 'policy-bypass',
  summary: 'A user tries every known way to speak, hear, keep or delete what is not hers to',
  seenIn:
    'Mosquitto CVE-2017-7650, RabbitMQ CVE-2026-44838, Aedes #597, dojot #2529, mochi #503, and shared-subscription evasion',
  unit: 'attempts',
  // Each is made once; there is no more of it.
  intensity: { small: amount, full: amount },
  cheapPasswords: true,
  neverLockedOut: true,
  notFor: { aedes: 'it has no rights of its own' },
  needs: 'setup',
  run,
};
