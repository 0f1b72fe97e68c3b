import { RawClient } from '@moat/testkit';
import { readPacket } from '../support/broker.js';
import {
  type ConnectFields,
  connectPacket,
  group,
  hex,
  packet,
  publish,
  subscribe,
  text,
  type Version,
  will,
} from '../support/packets.js';

/**
 * The rights under which the attempts are made, in the one format that both brokers read. `mallory` has `open/#` but for
 * `open/closed`, and a tree for her name and her client ID; `secret/#` is for others.
 */
export const accessList = `
user victim
topic secret/#
topic open/#
user watch
topic #
topic $SYS/#
user mallory
topic open/#
topic deny open/closed
pattern own/%u/#
pattern clients/%c/#
`;

export const users = ['victim', 'watch', 'mallory', '+', '#', 'own/victim'] as const;

/** One way round the policy. */
export interface Attempt {
  /** What is tried. */
  readonly name: string;
  readonly versions: readonly Version[];
  /** What a right broker does. */
  readonly right: string;
  /** Whether it succeeded: a message arrived, or was lost, that should not have been. */
  evades(stage: Stage, version: Version): Promise<boolean>;
}

/** The mark of what must not get through. */
const mark = 'LEAK';
const markHex = Buffer.from(mark).toString('hex');

/** A broker under {@link accessList}, with somebody who hears everything. */
export class Stage {
  private constructor(
    private readonly port: number,
    private readonly watch: RawClient,
  ) {}

  static async open(port: number): Promise<Stage> {
    const watch = await RawClient.connect(port);
    watch.send(connectPacket(4, { username: 'watch', password: 'x', clientId: 'watch' }));
    watch.send(subscribe(4, 1, { '#': 0, '$SYS/attack': 0 }));
    const stage = new Stage(port, watch);
    await stage.settle(watch);
    return stage;
  }

  /** Connects, whether that is accepted or not. */
  async connect(version: Version, fields: ConnectFields): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    client.send(connectPacket(version, { password: 'x', ...fields }));
    return client;
  }

  mallory(version: Version, fields: ConnectFields = {}): Promise<RawClient> {
    return this.connect(version, { username: 'mallory', clientId: 'mallory', ...fields });
  }

  /** Waits until the broker has acted upon all that a client sent; returns what it was answered. */
  async settle(client: RawClient): Promise<string> {
    client.send('c000');
    let answers = '';
    for (;;) {
      const answer = await readPacket(client).catch(() => 'd000'); // or the connection is closed
      if (answer === 'd000') return answers;
      answers += answer;
    }
  }

  /** Whether anybody hears the mark once these bytes have been sent. */
  async speaks(client: RawClient, bytes: string): Promise<boolean> {
    client.send(bytes);
    await this.settle(client);
    client.end();
    return this.wasHeard();
  }

  async wasHeard(): Promise<boolean> {
    return (await this.settle(this.watch)).includes(markHex);
  }

  /** Whether a client that has sent these bytes hears the mark when the victim speaks of something secret. */
  async hears(client: RawClient, bytes: string, topic = 'secret/x'): Promise<boolean> {
    client.send(bytes);
    await this.settle(client);
    const victim = await this.connect(4, {
      username: topic.startsWith('secret') ? 'victim' : 'watch',
      clientId: 'speaker',
    });
    victim.send(publish(4, topic, mark));
    await this.settle(victim);
    victim.end();
    const heard = (await this.settle(client)).includes(markHex);
    client.end();
    await this.settle(this.watch);
    return heard;
  }

  /** The retained message of a topic, as the watch gets it. */
  async retained(topic: string): Promise<string> {
    const client = await this.connect(4, { username: 'watch', clientId: 'reader' });
    client.send(subscribe(4, 1, { [topic]: 0 }));
    const answers = await this.settle(client);
    client.end();
    return answers;
  }
}

const every = [3, 4, 5] as const;
const dropped = 'nobody gets it';
const refused = 'refused, and nothing is delivered';

function speak(name: string, versions: readonly Version[], bytes: (version: Version) => string): Attempt {
  return {
    name,
    versions,
    right: dropped,
    evades: async (stage, version) => stage.speaks(await stage.mallory(version), bytes(version)),
  };
}

function listen(
  name: string,
  filters: readonly string[],
  topic?: string,
  versions: readonly Version[] = every,
): Attempt {
  const options = Object.fromEntries(filters.map((filter) => [filter, 0]));
  return {
    name,
    versions,
    right: refused,
    evades: async (stage, version) => stage.hears(await stage.mallory(version), subscribe(version, 1, options), topic),
  };
}

/** A client of another name or client ID, which hears or speaks of what its name seems to open. */
function disguised(name: string, fields: ConnectFields, filter: string, topic: string): Attempt {
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
export const attempts: readonly Attempt[] = [
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
      const other = await stage.mallory(version, { clientId: 'later' });
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
      const victim = await stage.connect(4, { username: 'victim', clientId: 'keeper' });
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
      const victim = await stage.connect(4, { username: 'victim', clientId: 'keeper' });
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
      const speaker = await stage.connect(4, { username: 'victim', clientId: 'speaker' });
      speaker.send(publish(4, 'secret/queued', mark, { qos: 1 }));
      await stage.settle(speaker);
      speaker.end();
      const thief = await stage.mallory(version, session);
      const heard = (await stage.settle(thief)).includes(markHex);
      thief.end();
      const owner = await stage.connect(version, { username: 'victim', ...session });
      const kept = (await stage.settle(owner)).includes(markHex);
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
