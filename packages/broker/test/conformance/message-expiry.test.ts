import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, puback, pubcomp, pubrec, pubrel, stored, subscriber } from '../support/clients.js';
import { hex, publish, subscribe } from '../support/packets.js';

const { port, stop } = await startBroker();
after(stop);

const expiry = (seconds: number): string => `02${hex(seconds, 4)}`;
/** Long enough for an expiry interval of one second to pass. */
const aSecond = (): Promise<void> => delay(1_050);

describe('The message expiry interval', { concurrency: true }, () => {
  it('comes to a subscriber that is there as it was sent, at every QoS [MQTT-3.3.2-6]', async () => {
    const client = await subscriber(port, 5, { 'e/live': 2 });
    for (const seconds of [1, 10, 0xffff_ffff]) {
      client.send(publish(5, 'e/live', 'x', { properties: expiry(seconds) }));
      assert.equal(await readPacket(client), publish(5, 'e/live', 'x', { properties: expiry(seconds) }));
    }
    client.end();
  });

  it('is not sent to a client of 3.1.1 [MQTT-3.3.2-6]', async () => {
    const [client, publisher] = [await subscriber(port, 4, { 'e/older': 0 }), await connected(port, 5)];
    publisher.send(publish(5, 'e/older', 'x', { properties: expiry(10) }));
    assert.equal(await readPacket(client), publish(4, 'e/older', 'x'));
    client.end();
    publisher.end();
  });

  it('is less by the time that the message waited, in a queue and as a retained one [MQTT-3.3.2-6]', async () => {
    await leave(await subscriber(port, 5, { 'e/waits': 1 }, stored(5, 'e-waits')));
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'e/waits', 'x', { qos: 1, retain: true, packetId: 1, properties: expiry(10) }));
    await readPacket(publisher);
    await aSecond();
    const resumed = await connected(port, 5, stored(5, 'e-waits'));
    assert.equal(await readPacket(resumed), publish(5, 'e/waits', 'x', { qos: 1, packetId: 1, properties: expiry(9) }));
    resumed.send(subscribe(5, 2, { 'e/+': 0 }));
    await resumed.expect('90 04 0002 00 00');
    assert.equal(await readPacket(resumed), publish(5, 'e/waits', 'x', { retain: true, properties: expiry(9) }));
    publisher.end();
    resumed.end();
  });

  it('that has passed deletes what waited for an offline session, and not what came with it [MQTT-3.3.2-5]', async () => {
    for (const version of [4, 5] as const)
      await leave(await subscriber(port, version, { 'e/away': 1 }, stored(version, `e-away-${version}`)));
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'e/away', 'gone', { qos: 1, packetId: 1, properties: expiry(1) }));
    publisher.send(publish(5, 'e/away', 'stays', { qos: 1, packetId: 2 }));
    publisher.send(publish(5, 'e/away', 'stays', { qos: 1, packetId: 3, properties: expiry(60) }));
    for (const id of [1, 2, 3]) assert.equal(await readPacket(publisher), puback(id));
    await aSecond();
    const older = await connected(port, 4, stored(4, 'e-away-4'));
    for (const packetId of [2, 3])
      assert.equal(await readPacket(older), publish(4, 'e/away', 'stays', { qos: 1, packetId }));
    const client = await connected(port, 5, stored(5, 'e-away-5'));
    assert.equal(await readPacket(client), publish(5, 'e/away', 'stays', { qos: 1, packetId: 2 }));
    const third = publish(5, 'e/away', 'stays', { qos: 1, packetId: 3, properties: expiry(59) });
    assert.equal(await readPacket(client), third);
    for (const each of [publisher, older, client]) each.end();
  });

  it('that has passed deletes what waited for the quota of a client [MQTT-3.3.2-5]', async () => {
    const client = await subscriber(port, 5, { 'e/quota': 1 }, { properties: '210001' });
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'e/quota', '1', { qos: 1, packetId: 1 }));
    publisher.send(publish(5, 'e/quota', '2', { qos: 1, packetId: 2, properties: expiry(1) }));
    publisher.send(publish(5, 'e/quota', '3', { qos: 1, packetId: 3 }));
    assert.equal(await readPacket(client), publish(5, 'e/quota', '1', { qos: 1, packetId: 1 }));
    await aSecond();
    client.send(puback(1));
    assert.equal(await readPacket(client), publish(5, 'e/quota', '3', { qos: 1, packetId: 3 }));
    client.end();
    publisher.end();
  });

  it('that has passed removes a retained message for new subscribers [MQTT-3.3.2-5]', async () => {
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'e/kept/1', 'gone', { retain: true, properties: expiry(1) }));
    publisher.send(publish(5, 'e/kept/2', 'stays', { retain: true }));
    await ping(publisher);
    await aSecond();
    const client = await subscriber(port, 5, { 'e/kept/#': 0 });
    assert.equal(await readPacket(client), publish(5, 'e/kept/2', 'stays', { retain: true }));
    await ping(client);
    client.end();
    publisher.end();
  });

  it('that has passed does not end what was sent already: it is sent again [MQTT-4.3.3-7]', async () => {
    const client = await subscriber(port, 5, { 'e/sent': 2 }, stored(5, 'e-sent'));
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'e/sent', 'x', { qos: 2, packetId: 1, properties: expiry(1) }) + pubrel(1));
    assert.equal(await readPacket(client), publish(5, 'e/sent', 'x', { qos: 2, packetId: 1, properties: expiry(1) }));
    await leave(client);
    await aSecond();
    const resumed = await connected(port, 5, stored(5, 'e-sent'));
    assert.match(await readPacket(resumed), /^3c/);
    publisher.end();
    resumed.end();
  });

  it('that has passed while a message of the client awaits PUBREL keeps it from others, not from its PUBCOMP [MQTT-4.3.3-13] [MQTT-3.3.2-5]', async () => {
    const [client, publisher] = [await subscriber(port, 5, { 'e/rel': 0 }), await connected(port, 5)];
    publisher.send(publish(5, 'e/rel', 'x', { qos: 2, packetId: 1, properties: expiry(1) }));
    assert.equal(await readPacket(publisher), pubrec(1));
    await aSecond();
    publisher.send(pubrel(1));
    assert.equal(await readPacket(publisher), pubcomp(1));
    await ping(client);
    client.end();
    publisher.end();
  });

  it('of 0 lets a message reach those who take it at once, and nobody else [MQTT-3.3.2-5]', async () => {
    await leave(await subscriber(port, 5, { 'e/zero': 1 }, stored(5, 'e-zero')));
    const client = await subscriber(port, 5, { 'e/zero': 1 });
    const publisher = await connected(port, 5);
    for (const qos of [0, 1] as const) {
      publisher.send(publish(5, 'e/zero', 'x', { qos, retain: true, properties: expiry(0) }));
      assert.match(await readPacket(client), qos === 0 ? /^30/ : /^32/);
    }
    assert.equal(await readPacket(publisher), puback(1));
    const late = await subscriber(port, 5, { 'e/zero': 0 });
    await ping(late);
    const resumed = await connected(port, 5, stored(5, 'e-zero'));
    await ping(resumed);
    for (const each of [client, publisher, late, resumed]) each.end();
  });
});
