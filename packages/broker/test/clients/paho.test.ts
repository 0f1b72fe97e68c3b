import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { needs, python, run } from '@moat/testkit';
import { startStockBroker, user } from '../support/stock-broker.js';

const stock = await startStockBroker();
after(stock.stop);
const { host, ports, ca } = stock;
/** Python is not compiled: the script stands among the sources. */
const script = join(import.meta.dirname, '../../test/clients/paho-client.py');

async function paho(way: object): Promise<unknown> {
  const { code, stdout, stderr } = await run(python, [script], { input: JSON.stringify(way) });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const versions = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

describe('paho-mqtt', { ...needs('python3:paho.mqtt.client'), concurrency: 2 }, () => {
  for (const version of [3, 4, 5] as const) {
    for (const protocol of ['mqtt', 'mqtts', 'ws', 'wss'] as const) {
      it(`of MQTT ${versions[version]} over ${protocol} has messages of every QoS, retained ones, its will and its session [MQTT3-7.0.0-2]`, async () => {
        const topic = `paho/${version}/${protocol}`;
        const found = await paho({ ...user, host, port: ports[protocol], ca, version, protocol, topic });
        assert.deepEqual(found, {
          qos: [0, 1, 2].map((qos) => [`${topic}/qos`, `zwölf ${qos}`, qos, false]),
          retained: [[`${topic}/kept`, 'kept', 1, true]],
          will: [[`${topic}/will`, 'gone', 1, false]],
          session: ['a', 'b'].map((payload) => [`${topic}/session`, payload, 1, false]),
        });
      });
    }

    it(`of MQTT ${versions[version]} is refused with a wrong password`, async () => {
      const way = { ...user, password: 'wrong', host, port: ports.mqtt, version, protocol: 'mqtt', topic: 'x' };
      assert.match(JSON.stringify(await paho(way)), version === 5 ? /"refused":13[45]/ : /"refused":[45]/);
    });
  }
});
