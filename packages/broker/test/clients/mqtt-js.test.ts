import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import type { IClientOptions } from 'mqtt';
import { MqttJs } from '../support/mqtt-js.js';
import { device, startStockBroker, user } from '../support/stock-broker.js';

const stock = await startStockBroker();
after(stock.stop);
const { host, ports } = stock;
const [ca, cert, key] = await Promise.all([stock.ca, stock.cert, stock.key].map((file) => readFile(file)));
assert.ok(ca && cert && key);

let topics = 0;
const freshTopic = (): string => `devices/${device}/${++topics}`;

const versions = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

for (const protocolVersion of [3, 4, 5] as const) {
  for (const protocol of ['mqtt', 'mqtts', 'ws', 'wss'] as const) {
    const url = `${protocol}://${host}:${ports[protocol]}${protocol.startsWith('ws') ? '/mqtt' : ''}`;
    const ways: IClientOptions = {
      ...user,
      ca,
      protocolVersion,
      protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
    };

    describe(`MQTT.js of MQTT ${versions[protocolVersion]} over ${protocol}`, () => {
      it('sends and receives at every QoS, in order [MQTT3-7.0.0-2]', async () => {
        const mqtt = await MqttJs.connect(url, ways);
        const topic = freshTopic();
        await mqtt.client.subscribeAsync(topic, { qos: 2 });
        for (const qos of [0, 1, 2] as const)
          for (let message = 0; message < 10; message++) mqtt.client.publish(topic, `${message}`, { qos });
        const received = await mqtt.next(30);
        for (const qos of [0, 1, 2]) {
          const payloads = received.filter((message) => message.qos === qos).map(({ payload }) => payload);
          assert.deepEqual(payloads, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        }
        await mqtt.end();
      });

      it('finds a retained message, and has its will published', async () => {
        const topic = freshTopic();
        const will = { topic: `${topic}/will`, payload: Buffer.from('gone'), qos: 1 as const, retain: false };
        const [mqtt, dying] = [await MqttJs.connect(url, ways), await MqttJs.connect(url, { ...ways, will })];
        await mqtt.client.publishAsync(`${topic}/kept`, 'kept', { qos: 1, retain: true });
        await mqtt.client.subscribeAsync(`${topic}/#`, { qos: 1 });
        assert.deepEqual(await mqtt.next(1), [{ topic: `${topic}/kept`, payload: 'kept', qos: 1, retain: true }]);
        dying.client.stream.destroy();
        assert.deepEqual(await mqtt.next(1), [{ topic: `${topic}/will`, payload: 'gone', qos: 1, retain: false }]);
        await mqtt.end();
      });

      it('takes up its session, with what came meanwhile', async () => {
        const topic = freshTopic();
        const session: IClientOptions = {
          ...ways,
          clientId: `session-${protocolVersion}-${protocol}`,
          clean: false,
          ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
        };
        const before = await MqttJs.connect(url, session);
        await before.client.subscribeAsync(topic, { qos: 1 });
        await before.end();
        const publisher = await MqttJs.connect(url, ways);
        for (const message of ['a', 'b']) await publisher.client.publishAsync(topic, message, { qos: 1 });
        await publisher.end();
        const mqtt = await MqttJs.connect(url, session);
        assert.deepEqual(
          (await mqtt.next(2)).map(({ payload }) => payload),
          ['a', 'b'],
        );
        await mqtt.end();
      });

      it('is refused with a wrong password', async () => {
        const refused = MqttJs.connect(url, { ...ways, password: 'wrong' });
        await assert.rejects(refused, { message: /Connection refused: (Not authorized|Bad User Name or Password)/i });
      });
    });
  }
}

describe('MQTT.js', () => {
  it('with a client certificate is known by the name in it', async () => {
    const url = `mqtts://${host}:${stock.certificatePort}`;
    const mqtt = await MqttJs.connect(url, { ca, cert, key, protocolVersion: 5 });
    const [own] = await mqtt.client.subscribeAsync(`devices/${device}/#`, { qos: 1 });
    assert.equal(own?.qos, 1);
    await assert.rejects(mqtt.client.subscribeAsync('devices/other/#', { qos: 1 }));
    await mqtt.end();
  });

  it('of MQTT 5.0 gets aliases, properties and the answer to a request', async () => {
    const url = `mqtt://${host}:${ports.mqtt}`;
    const options: IClientOptions = { ...user, protocolVersion: 5, properties: { topicAliasMaximum: 5 } };
    const [asks, answers] = [await MqttJs.connect(url, options), await MqttJs.connect(url, options)];
    await answers.client.subscribeAsync('service/add', { qos: 1 });
    await asks.client.subscribeAsync('replies/asks', { qos: 1 });
    answers.client.on('message', (_topic, payload, { properties }) => {
      const { responseTopic = '', correlationData = Buffer.alloc(0), userProperties = {} } = properties ?? {};
      const answer = { correlationData, userProperties };
      answers.client.publish(responseTopic, `${payload} is answered`, { qos: 1, properties: answer });
    });
    const seen: unknown[] = [];
    asks.client.on('message', (_topic, _payload, { properties }) =>
      seen.push([String(properties?.correlationData), { ...properties?.userProperties }]),
    );
    for (const number of ['1', '2', '3']) {
      const correlationData = Buffer.from(`request ${number}`);
      const properties = { responseTopic: 'replies/asks', correlationData, userProperties: { tag: number } };
      await asks.client.publishAsync('service/add', number, { qos: 1, properties });
      const [answer] = await asks.next(1);
      assert.deepEqual([answer?.topic, answer?.payload], ['replies/asks', `${number} is answered`]);
      assert.deepEqual(seen.at(-1), [`request ${number}`, { tag: number }]);
    }
    await Promise.all([asks.end(), answers.end()]);
  });
});
