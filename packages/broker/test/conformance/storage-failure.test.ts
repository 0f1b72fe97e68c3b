import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { FailingStore } from '../storage/failing-store.js';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, puback, pubcomp, pubrec, pubrel, stored, subscriber } from '../support/clients.js';
import { publish, subscribe } from '../support/packets.js';

const store = new FailingStore();
const { port, stop } = await startBroker({}, { store });
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
