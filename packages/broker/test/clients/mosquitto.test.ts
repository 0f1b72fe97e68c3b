import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { needs, run } from '@moat/testkit';
import { device, moreSubscriptions, startStockBroker, user } from '../support/stock-broker.js';

const stock = await startStockBroker();
after(stock.stop);
const { broker, host, ports, ca, cert, key, certificatePort } = stock;
const needed = needs('mosquitto_pub', 'mosquitto_sub');

/** Ways in, as options of the mosquitto clients. */
const credentials = ['-u', user.username, '-P', user.password];
const plain = ['-h', host, '-p', String(ports.mqtt), ...credentials];
const withCertificate = ['-h', host, '-p', String(certificatePort), '--cafile', ca, '--cert', cert, '--key', key];
const ways: Readonly<Record<string, readonly string[]>> = {
  mqtt: plain,
  mqtts: ['-h', host, '-p', String(ports.mqtts), '--cafile', ca, ...credentials],
  'mqtts with a client certificate': withCertificate,
};
const versions = { mqttv31: '3.1', mqttv311: '3.1.1', mqttv5: '5.0' };

let topics = 0;
const freshTopic = (): string => `devices/${device}/${++topics}`;

async function publish(options: readonly string[], ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run('mosquitto_pub', [...options, ...args]);
  assert.equal(code, 0, stderr);
}

/** What mosquitto_sub prints; `-W` bounds it, `-C` tells it when it has enough. */
async function subscribe(options: readonly string[], ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('mosquitto_sub', [...options, '-W', '10', ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

for (const [way, options] of Object.entries(ways)) {
  for (const [version, name] of Object.entries(versions)) {
    describe(`mosquitto_pub and mosquitto_sub of MQTT ${name} over ${way}`, needed, () => {
      const speaks = [...options, '-V', version];

      it('bring a message across at every QoS [MQTT3-7.0.0-2]', async () => {
        const topic = freshTopic();
        const ready = moreSubscriptions(broker, 1);
        const received = subscribe(speaks, '-t', `${topic}/#`, '-q', '2', '-C', '3', '-F', '%t %q %p');
        await ready;
        for (const qos of ['0', '1', '2']) await publish(speaks, '-t', `${topic}/${qos}`, '-q', qos, '-m', 'zwölf');
        assert.equal(await received, ['0', '1', '2'].map((qos) => `${topic}/${qos} ${qos} zwölf\n`).join(''));
      });

      it('find a retained message, and remove it', async () => {
        const topic = freshTopic();
        await publish(speaks, '-t', topic, '-q', '1', '-r', '-m', 'kept');
        assert.equal(await subscribe(speaks, '-t', topic, '-C', '1', '-F', '%r %p'), '1 kept\n');
        await publish(speaks, '-t', topic, '-r', '-n');
        await publish(speaks, '-t', `${topic}/end`, '-r', '-m', 'end');
        assert.equal(await subscribe(speaks, '-t', `${topic}/#`, '-C', '1', '-F', '%p'), 'end\n');
      });

      it('keep a session with its messages while they are away', async () => {
        const topic = freshTopic();
        const session = [...speaks, '-i', `keeps-${topic}`, '-c', ...(version === 'mqttv5' ? ['-x', '60'] : [])];
        await subscribe(session, '-t', topic, '-q', '1', '-E');
        await run('mosquitto_pub', [...speaks, '-t', topic, '-q', '1', '-l'], { input: 'a\nb\nc\n' });
        assert.equal(await subscribe(session, '-t', topic, '-q', '1', '-C', '3'), 'a\nb\nc\n');
      });
    });
  }
}

describe('mosquitto_sub', needed, () => {
  it('that dies leaves its will', async () => {
    const topic = freshTopic();
    const ready = moreSubscriptions(broker, 1);
    const watching = subscribe(plain, '-t', topic, '-C', '1');
    await ready;
    const connected = moreSubscriptions(broker, 1);
    const will = ['--will-topic', topic, '--will-payload', 'gone', '--will-qos', '1'];
    const dying = spawn('mosquitto_sub', [...plain, '-t', 'devices/nothing', '-W', '10', ...will]);
    await connected;
    dying.kill('SIGKILL');
    assert.equal(await watching, 'gone\n');
  });

  it('shares a subscription with another: each message comes to one of them', async () => {
    const topic = freshTopic();
    const ready = moreSubscriptions(broker, 2);
    const members = [1, 2].map(() => subscribe(plain, '-V', 'mqttv5', '-t', `$share/group/${topic}`, '-C', '2'));
    await ready;
    for (const message of ['a', 'b', 'c', 'd']) await publish(plain, '-t', topic, '-m', message);
    const received = (await Promise.all(members)).flatMap((lines) => lines.trim().split('\n'));
    assert.deepEqual(received.sort(), ['a', 'b', 'c', 'd']);
  });

  it('gets the properties of MQTT 5.0 as they were sent', async () => {
    const topic = freshTopic();
    const ready = moreSubscriptions(broker, 1);
    const received = subscribe(plain, '-V', 'mqttv5', '-t', topic, '-C', '1', '-F', '%C|%R|%D|%P|%p');
    await ready;
    const properties: [string, ...string[]][] = [
      ['content-type', 'text/plain'],
      ['response-topic', 'answers'],
      ['correlation-data', '42'],
      ['user-property', 'a', 'b'],
    ];
    const options = properties.flatMap((property) => ['-D', 'publish', ...property]);
    await publish(plain, '-V', 'mqttv5', '-t', topic, '-m', 'x', ...options);
    assert.equal(await received, 'text/plain|answers|42|a:b|x\n');
  });
});

describe('A stock client', needed, () => {
  it('with a wrong password is refused', async () => {
    for (const version of Object.keys(versions)) {
      const args = ['-h', host, '-p', String(ports.mqtt), '-V', version, '-u', user.username, '-P', 'wrong', '-t', 'x'];
      const { code, stderr } = await run('mosquitto_pub', [...args, '-m', 'x']);
      assert.notEqual(code, 0);
      assert.match(stderr, /not authori[sz]ed|user name or password/i);
    }
  });

  it('that trusts another authority does not go on', async () => {
    const args = ['-h', host, '-p', String(ports.mqtts), '--capath', '/etc/ssl/certs', ...credentials, '-t', 'x'];
    const { code } = await run('mosquitto_pub', [...args, '-m', 'x']);
    assert.notEqual(code, 0);
  });

  it('without a certificate is refused where one is required', async () => {
    const args = ['-h', host, '-p', String(certificatePort), '--cafile', ca, ...credentials, '-V', 'mqttv5', '-t', 'x'];
    const { code, stderr } = await run('mosquitto_pub', [...args, '-m', 'x']);
    assert.notEqual(code, 0);
    assert.match(stderr, /[Nn]ot authori[sz]ed/);
  });

  it('with a certificate is bound to the topics of its name', async () => {
    const options = [...withCertificate, '-V', 'mqttv5'];
    const { stderr } = await run('mosquitto_sub', [...options, '-t', 'devices/other', '-W', '10']);
    assert.match(stderr, /subscription requests were denied/);
  });
});
