import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { FailingStore } from '../storage/failing-store.js';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, nameOf, puback, pubcomp, pubrec, pubrel, stored, subscriber, versions } from '../support/clients.js';
import { type ConnectFields, connectPacket, publish, subscribe, unsubscribe, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const store = new FailingStore();
const { port, broker, stop } = await startBroker({}, { store });
after(stop);
afterEach(() => {
  store.full = false;
});

await leave(await subscriber(port, 4, { 'kept/#': 2 }, stored(4, 'keeper')));

describe('When what a message needs cannot be stored', () => {
  it('a 5.0 client gets no success: 0x97 in PUBACK and PUBREC [MQTT-4.3.2-4] [MQTT-4.3.3-8]', async () => {
    const publisher = await connected(port, 5, stored(5, 'publisher'));
    store.full = true;
    publisher.send(publish(5, 'kept/1', 'x', { qos: 1, packetId: 1 }));
    await publisher.expect('40 03 0001 97');
    publisher.send(publish(5, 'kept/2', 'x', { qos: 2, packetId: 2 }));
    await publisher.expect('50 03 0002 97');
    store.full = false;
    publisher.send(publish(5, 'kept/2', 'x', { qos: 2, packetId: 2 }) + pubrel(2));
    assert.equal(await readPacket(publisher), pubrec(2));
    assert.equal(await readPacket(publisher), pubcomp(2));
    publisher.end();
  });

  it('a 3.1.1 client is disconnected without an acknowledgement, and others go on [MQTT-4.3.2-4] [MQTT3-4.8.0-2]', async () => {
    const [publisher, other] = [await connected(port, 4), await connected(port, 4)];
    store.full = true;
    publisher.send(publish(4, 'kept/1', 'x', { qos: 1, packetId: 1 }));
    await publisher.closed();
    other.send(publish(4, 'elsewhere', 'x', { qos: 1, packetId: 1 }));
    assert.equal(await readPacket(other), puback(1));
    await ping(other);
    other.end();
  });

  it('a message that nobody has to store is acknowledged all the same', async () => {
    const client = await subscriber(port, 5, { live: 1 });
    store.full = true;
    client.send(publish(5, 'live', 'x', { qos: 1, packetId: 1 }));
    assert.equal(await readPacket(client), publish(5, 'live', 'x', { qos: 1 }));
    assert.equal(await readPacket(client), puback(1));
    client.end();
  });

  it('a PUBREC is not answered with PUBREL, so that the message is never sent again behind one [MQTT-4.3.3-4] [MQTT-4.3.3-6]', async () => {
    const receiver = await subscriber(port, 4, { released: 2 }, stored(4, 'receiver'));
    const publisher = await connected(port, 4);
    publisher.send(publish(4, 'released', 'x', { qos: 2, packetId: 1 }));
    assert.equal(await readPacket(publisher), pubrec(1));
    publisher.send(pubrel(1));
    assert.equal(await readPacket(receiver), publish(4, 'released', 'x', { qos: 2, packetId: 1 }));
    assert.equal(await readPacket(publisher), pubcomp(1));
    store.full = true;
    receiver.send(pubrec(1));
    await receiver.closed();
    publisher.end();
  });

  it('a PUBREL is not answered with PUBCOMP: the client is disconnected and sends it again [MQTT-4.3.3-11]', async () => {
    const publisher = await connected(port, 4, stored(4, 'releasing'));
    publisher.send(publish(4, 'elsewhere', 'x', { qos: 2, packetId: 1 }));
    assert.equal(await readPacket(publisher), pubrec(1));
    store.full = true;
    publisher.send(pubrel(1));
    await publisher.closed();
    store.full = false;
    const resumed = await connected(port, 4, stored(4, 'releasing'));
    resumed.send(pubrel(1));
    assert.equal(await readPacket(resumed), pubcomp(1));
    resumed.end();
  });

  it('a CONNECT that makes a session is refused, and leaves none [MQTT-3.2.2-7] [MQTT3-3.2.2-5]', async () => {
    for (const version of versions) {
      const fields = stored(version, `never there ${version}`);
      const sessions = broker.status().sessions;
      store.full = true;
      const connack = await answerTo(version, fields);
      assert.match(connack, version === 5 ? /^20..0097/ : /^20020003/);
      await waitFor(() => broker.status().sessions === sessions);
      store.full = false;
      const client = await connected(port, version, fields);
      await leave(client);
    }
  });

  it('a SUBSCRIBE of a stored session is refused, and subscribes to nothing [MQTT-3.8.4-7]', async () => {
    const client = await connected(port, 5, stored(5, 'subscribing'));
    store.full = true;
    client.send(subscribe(5, 1, { 'kept/x': 1 }));
    await client.expect('90 04 0001 00 97');
    store.full = false;
    client.send(publish(5, 'kept/x', 'x'));
    await ping(client);
    client.end();
  });
});

/** The disk is full, and the store has noticed. */
async function fill(): Promise<void> {
  store.full = true;
  store.deleteRetained('nothing');
  await store.commit().catch(() => {});
}

/** CONNECT, and what comes of it. */
async function answerTo(version: 4 | 5, fields: ConnectFields, to = port): Promise<string> {
  const client = await RawClient.connect(to);
  client.send(connectPacket(version, fields));
  const connack = await readPacket(client);
  client.end();
  return connack;
}

describe('While the store says that it fails', () => {
  it('what would have to be stored is refused before it is staged [MQTT-4.3.2-4] [MQTT-4.3.3-8]', async () => {
    const publisher = await connected(port, 5, stored(5, 'refused'));
    await fill();
    const { staged } = store;
    for (let id = 1; id <= 100; id++) {
      publisher.send(publish(5, 'kept/1', 'x', { qos: 1, packetId: id }));
      await publisher.expect(`40 03 ${id.toString(16).padStart(4, '0')} 97`);
    }
    publisher.send(publish(5, 'elsewhere', 'x', { qos: 2, packetId: 1 }));
    await publisher.expect('50 03 0001 97');
    publisher.send(publish(5, 'elsewhere', 'x', { qos: 1, retain: true, packetId: 1 }));
    await publisher.expect('40 03 0001 97');
    publisher.send(publish(5, 'kept/1', 'x') + publish(5, 'elsewhere', 'x', { retain: true }));
    publisher.send(subscribe(5, 1, { 'kept/x': 1 }));
    await publisher.expect('90 04 0001 00 97');
    publisher.send(unsubscribe(5, 1, 'kept/x'));
    await publisher.expect('b0 04 0001 00 80');
    await ping(publisher);
    assert.equal(store.staged, staged);
    assert.equal(broker.status().retained.messages, 0);
    publisher.end();
  });

  it('each message of a run is refused, and a run that is held back goes nowhere [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11]', async () => {
    const [holding, publisher] = [await connected(port, 5), await connected(port, 5)];
    const run = (qos: 1 | 2): string =>
      [1, 2, 3].map((packetId) => publish(5, 'kept/1', 'x', { qos, packetId })).join('');
    holding.send(run(2));
    for (const id of [1, 2, 3]) assert.equal(await readPacket(holding), pubrec(id));
    await fill();
    const { staged } = store;
    publisher.send(run(1));
    for (const id of [1, 2, 3]) await publisher.expect(`40 03 000${id} 97`);
    publisher.send(run(2));
    for (const id of [1, 2, 3]) await publisher.expect(`50 03 000${id} 97`);
    await ping(publisher);
    holding.send(pubrel(1) + pubrel(2) + pubrel(3));
    await holding.expect('e0 01 97');
    await holding.closed();
    assert.equal(store.staged, staged);
    publisher.end();
  });

  it('3.1.1 clients are disconnected, or refused where there is an answer [MQTT3-4.8.0-2]', async () => {
    const clients = [];
    for (const id of ['a', 'b', 'c']) clients.push(await connected(port, 4, stored(4, id)));
    const [publishing, subscribing, leaving] = clients;
    assert.ok(publishing && subscribing && leaving);
    await fill();
    const { staged } = store;
    publishing.send(publish(4, 'kept/1', 'x', { qos: 1 }));
    await publishing.closed();
    subscribing.send(subscribe(4, 1, { 'kept/x': 1 }));
    await subscribing.expect('90 03 0001 80');
    leaving.send(unsubscribe(4, 1, 'kept/x'));
    await leaving.closed();
    assert.equal(store.staged, staged);
    subscribing.end();
  });

  it('what needs no store goes on: clean sessions, QoS 0, what waits for a session that returns', async () => {
    const fields = stored(4, 'returning');
    await leave(await subscriber(port, 4, { 'waiting/#': 1 }, fields));
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'waiting/1', 'x', { qos: 1 }));
    assert.equal(await readPacket(publisher), puback(1));
    await fill();
    const clean = await subscriber(port, 5, { live: 1 });
    publisher.send(publish(5, 'live', 'x', { qos: 1 }));
    assert.equal(await readPacket(clean), publish(5, 'live', 'x', { qos: 1 }));
    assert.equal(await readPacket(publisher), puback(1));
    const returned = await connected(port, 4, fields);
    assert.equal(await readPacket(returned), publish(4, 'waiting/1', 'x', { qos: 1 }));
    publisher.send(publish(5, 'waiting/2', 'x'));
    assert.equal(await readPacket(returned), publish(4, 'waiting/2', 'x'));
    for (const client of [returned, publisher, clean]) client.end();
  });

  it('a CONNECT that would change a stored session is refused [MQTT-3.2.2-7] [MQTT3-3.2.2-5]', async () => {
    await leave(await connected(port, 5, stored(5, 'there')));
    await fill();
    const { staged } = store;
    assert.match(await answerTo(5, stored(5, 'new')), /^20..0097/);
    assert.equal(await answerTo(4, stored(4, 'new')), '20020003');
    assert.match(await answerTo(5, { ...stored(5, 'there'), cleanStart: true }), /^20..0097/);
    assert.match(await answerTo(5, { ...stored(5, 'there'), properties: '11000000ff' }), /^20..0097/);
    assert.match(await answerTo(5, { ...stored(5, 'there'), will: will(5, 'w', 'x') }), /^20..0097/);
    assert.match(await answerTo(5, stored(5, 'there')), /^20..0100/);
    assert.equal(store.staged, staged);
  });

  it('a will waits until it can be stored, and everything goes on by itself then [MQTT-3.1.2-8]', async () => {
    const watcher = await subscriber(port, 4, { will: 1 }, stored(4, 'watcher'));
    const dying = await connected(port, 5, { ...stored(5, 'dying'), will: will(5, 'will', 'gone', { qos: 1 }) });
    await fill();
    dying.end();
    await ping(watcher);
    store.full = false;
    assert.equal(await readPacket(watcher), publish(4, 'will', 'gone', { qos: 1 }));
    watcher.end();
  });

  it('a PUBREL is kept back until its message is known not to be sent again [MQTT-4.3.3-4]', async () => {
    const fields = stored(5, 'releasing-late');
    const receiver = await subscriber(port, 5, { late: 2 }, fields);
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'late', 'x', { qos: 2 }) + pubrel(1));
    assert.match(await readPacket(receiver), /^34/);
    store.full = true;
    receiver.send(pubrec(1));
    await receiver.rest(); // DISCONNECT
    const resumed = await connected(port, 5, fields);
    await ping(resumed);
    store.full = false;
    assert.equal(await readPacket(resumed), pubrel(1));
    resumed.end();
    publisher.end();
  });

  it('a repeated PUBREL gets no PUBCOMP either before what it did is stored [MQTT-4.3.3-11]', async () => {
    const fields = stored(4, 'repeating');
    const publisher = await connected(port, 4, fields);
    publisher.send(publish(4, 'elsewhere', 'x', { qos: 2 }));
    assert.equal(await readPacket(publisher), pubrec(1));
    store.full = true;
    publisher.send(pubrel(1));
    await publisher.closed();
    const resumed = await connected(port, 4, fields);
    resumed.send(pubrel(1));
    await resumed.closed();
    store.full = false;
    const third = await connected(port, 4, fields);
    third.send(pubrel(1));
    assert.equal(await readPacket(third), pubcomp(1));
    third.end();
  });

  it('it is told when that begins and ends, and what it is', async () => {
    const before = { ...broker.status().events };
    await fill();
    assert.equal(broker.status().storageFailure, 'no space left on device');
    store.full = false;
    const { events, storageFailure } = broker.status();
    assert.equal(storageFailure, undefined);
    for (const code of ['storage.failing', 'storage.recovered'])
      assert.equal((events[code] ?? 0) - (before[code] ?? 0), 1, code);
  });
});

describe('A clean start that ends a session with messages for other members of a shared subscription', () => {
  const own = new FailingStore();
  afterEach(() => {
    own.full = false;
  });

  for (const version of versions)
    for (const restarted of [false, true])
      it(`is refused in ${nameOf(version)} while that cannot be stored, with the messages ${restarted ? 'in the store' : 'in memory'} [MQTT-3.2.2-7] [MQTT3-3.2.2-5]`, async (t) => {
        const [member, other] = [stored(version, 'member'), stored(version, 'other')];
        let life = await startBroker({}, { store: own });
        t.after(() => life.stop());
        await leave(await subscriber(life.port, version, { '$share/g/t': 1 }, member));
        const publisher = await connected(life.port, 4);
        publisher.send(publish(4, 't', 'x', { qos: 1, packetId: 1 }));
        assert.equal(await readPacket(publisher), puback(1));
        publisher.end();
        await leave(await subscriber(life.port, version, { '$share/g/t': 1 }, other));
        if (restarted) {
          await life.stop();
          life = await startBroker({}, { store: own });
        }
        own.full = true; // which is not noticed yet
        const connack = await answerTo(version, { ...member, cleanStart: true }, life.port);
        assert.match(connack, version === 5 ? /^20..0097/ : /^20020003$/);
        own.full = false;
        assert.equal(life.broker.status().events['broker.fault'] ?? 0, 0);
        const heir = await connected(life.port, version, other);
        assert.equal(await readPacket(heir), publish(version, 't', 'x', { qos: 1, packetId: 1 }));
        heir.send(puback(1));
        await leave(heir);
        for (const fields of [member, other])
          await leave(await connected(life.port, version, { ...fields, cleanStart: true }));
      });
});
