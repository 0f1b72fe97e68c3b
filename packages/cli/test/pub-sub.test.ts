import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { connect } from '@moat/client';
import { freePort, needs } from '@moat/testkit';
import { temporaryDirectory } from './helpers/directory.js';
import { finished, moat, type Result, startMoat } from './helpers/moat.js';
import { Mosquitto } from './helpers/mosquitto.js';

const directory = await temporaryDirectory();

describe('moat pub and moat sub', needs('mosquitto'), () => {
  let broker: Mosquitto;
  let viaTls: readonly string[];
  let tls: readonly string[];
  before(async () => {
    broker = await Mosquitto.start(directory);
    viaTls = ['-h', 'localhost', '-p', String(broker.secure), '-u', 'alice', '-P', 'secret'];
    tls = [...viaTls, '--cafile', broker.cafile];
  });
  after(() => broker.stop());

  /** A message that is there for a subscriber whenever it comes. */
  async function retained(topic: string, ...how: string[]): Promise<void> {
    const { code, stderr } = await moat(['pub', ...broker.plainOptions, '-t', topic, '-r', '-q', '1', ...how]);
    assert.equal(code, 0, stderr);
  }

  function sub(topic: string, ...how: string[]): Promise<Result> {
    return moat(['sub', ...broker.plainOptions, '-t', topic, '-C', '1', '-W', '10', ...how]);
  }

  test('what is published over TLS is received over TLS', async () => {
    await retained('tls', '-m', 'hello');
    const { code, stdout, stderr } = await moat(['sub', ...tls, '-t', 'tls', '-C', '1', '-v']);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'tls hello\n', stderr: '' });
  });

  for (const version of ['mqttv31', '3.1.1', 'mqttv5']) {
    test(`-V ${version} carries a message`, async () => {
      await retained(`version/${version}`, '-m', version, '-V', version);
      assert.equal((await sub(`version/${version}`, '-V', version)).stdout, `${version}\n`);
    });
  }

  test('a broker whose authority is not known is refused, with exit code 3 and a hint', async () => {
    const { code, stderr } = await moat(['pub', ...viaTls, '-t', 'x', '-m', 'x'], { cwd: directory });
    assert.equal(code, 3);
    assert.match(stderr, /not issued by a trusted authority .*--cafile/);
  });

  test('a broker of another name than its certificate says is refused', async () => {
    const args = ['pub', ...tls, '-h', '127.0.0.1', '-t', 'x', '-m', 'x'];
    const { code, stderr } = await moat(args);
    assert.equal(code, 3);
    assert.match(stderr, /does not match certificate's altnames/);
  });

  test('a wrong password and a port where nothing listens exit with 3', async () => {
    const wrong = await moat(['pub', '--url', `mqtt://alice:wrong@127.0.0.1:${broker.plain}`, '-t', 'x', '-m', 'x']);
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /not authorized/);
    assert.ok(!wrong.stderr.includes('wrong'));
    const nobody = await moat(['pub', '--url', `mqtt://127.0.0.1:${await freePort()}`, '-t', 'x', '-m', 'x']);
    assert.equal(nobody.code, 3);
    assert.match(nobody.stderr, /is the broker running/);
  });

  test('the password may come from MOAT_PASSWORD', async () => {
    const args = ['pub', '--url', `mqtt://127.0.0.1:${broker.plain}`, '-u', 'alice', '-t', 'x', '-m', 'x'];
    assert.equal((await moat(args)).code, 3);
    assert.equal((await moat(args, { env: { MOAT_PASSWORD: 'secret' } })).code, 0);
  });

  test('without options the local broker is meant: its absence is told', async () => {
    const { code, stderr } = await moat(['sub', '-t', 'x'], { cwd: '/' });
    assert.equal(code, 2);
    assert.match(stderr, /no local broker: there is no .*moat-data\/pki\/ca\.crt/);
  });

  test('without --cafile the authority in the data directory is trusted', async () => {
    const { code, stderr } = await moat(['pub', ...viaTls, '--data-dir', directory, '-t', 'x', '-m', 'x', '-q', '1']);
    assert.equal(code, 0, stderr);
  });

  test('a connection file says where the broker is and who we are, but not the client ID', async () => {
    const file = join(directory, 'connection.json');
    const connection = {
      host: '127.0.0.1',
      port: broker.plain,
      protocol: 'mqtt',
      clientId: 'alice',
      username: 'alice',
      password: 'secret',
    };
    await writeFile(file, JSON.stringify(connection));
    const device = await connect({ ...connection, protocol: 'mqtt', reconnect: false });
    assert.equal((await moat(['pub', '--connection', file, '-t', 'x', '-m', 'x'])).code, 0);
    await device.publish('still/here', '', { qos: 1 });
    await device.close();
  });

  test('lines of standard input are messages, in order, bytes as they are', async () => {
    const lines = Array.from({ length: 3000 }, (_, n) => `line ${n}`);
    const receiver = await connect({ protocol: 'mqtt', port: broker.plain, username: 'alice', password: 'secret' });
    const subscription = await receiver.subscribe('lines', { qos: 1 });
    const input = Buffer.concat([Buffer.from(`${lines.join('\n')}\r\n\n`), Buffer.from([0xff, 0xfe])]);
    const published = moat(['pub', ...broker.plainOptions, '-t', 'lines', '-l', '-q', '1'], { input });
    const received: Buffer[] = [];
    for await (const { payload } of subscription) if (received.push(payload) === 3002) break;
    assert.deepEqual(received.slice(0, 3000).map(String), lines);
    assert.deepEqual(
      received.slice(3000).map((bytes) => bytes.toString('hex')),
      ['', 'fffe'],
    );
    assert.equal((await published).code, 0);
    await receiver.close();
  });

  test('a payload may come from a file, from standard input, or be empty', async () => {
    const file = join(directory, 'payload');
    await writeFile(file, 'from\na file\n');
    await retained('file', '-f', file);
    assert.equal((await sub('file', '--format', 'raw')).stdout, 'from\na file\n');
    const args = ['pub', ...broker.plainOptions, '-t', 'file', '-r', '-q', '1'];
    await moat([...args, '-f', '-'], { input: 'from\nstdin' });
    assert.equal((await sub('file', '--format', 'raw')).stdout, 'from\nstdin');
    await moat([...args, '-n']);
    assert.equal((await sub('file', '-W', '0.3')).code, 1, 'an empty payload removes what is retained');
  });

  test('JSON has one object a line, with properties and the time', async () => {
    const properties = ['content-type', 'text/plain', 'publish', 'user-property', 'site', 'north'];
    await retained('json', '-m', 'grüße', '-D', 'publish', ...properties, '-D', 'publish', 'correlation-data', 'ab');
    const { time, ...message } = JSON.parse((await sub('json', '--format', 'json', '-q', '1')).stdout);
    assert.deepEqual(message, {
      topic: 'json',
      payload: 'grüße',
      qos: 1,
      retain: true,
      properties: { contentType: 'text/plain', userProperties: { site: 'north' }, correlationDataBase64: 'YWI=' },
    });
    assert.ok(!Number.isNaN(Date.parse(time)));
  });

  test('bytes that are no text are printed as hexadecimal, and as base64 in JSON', async () => {
    const file = join(directory, 'binary');
    await writeFile(file, Buffer.from([0xff, 0x00, 0x1b]));
    await retained('binary', '-f', file);
    assert.equal((await sub('binary')).stdout, '0xff001b\n');
    assert.equal(JSON.parse((await sub('binary', '--format', 'json')).stdout).payloadBase64, '/wAb');
  });

  test('several filters, a count, and leaving out what is retained', async () => {
    await retained('several/old', '-m', 'old');
    const args = ['-t', 'several/+', '-t', 'other', '-C', '2', '-R', '-v', '-q', '1'];
    const child = startMoat(['sub', ...broker.plainOptions, ...args]);
    const result = finished(child);
    // Nothing tells when the subscription is in place, so the messages are sent until both have come.
    const publisher = await connect({ protocol: 'mqtt', port: broker.plain, username: 'alice', password: 'secret' });
    while (child.exitCode === null) {
      await publisher.publish('several/new', 'new', { qos: 1 });
      await publisher.publish('other', 'new', { qos: 1 });
    }
    await publisher.close();
    const { code, stdout } = await result;
    assert.equal(code, 0);
    assert.deepEqual(stdout.split('\n').sort(), ['', 'other new', 'several/new new']);
  });

  test('-W ends the wait: a failure only when messages were counted on', async () => {
    assert.equal((await moat(['sub', ...broker.plainOptions, '-t', 'silence', '-W', '0.2'])).code, 0);
    const { code, stderr } = await sub('silence', '-W', '0.2');
    assert.equal(code, 1);
    assert.match(stderr, /fewer than 1 messages came in 0\.2 s/);
  });

  test('a session that is left behind keeps messages until it is taken up', async () => {
    const session = ['sub', ...broker.plainOptions, '-t', 'kept', '-i', 'keeper', '--disable-clean-session', '-q', '1'];
    assert.equal((await moat([...session, '-W', '0.2'])).code, 0);
    await moat(['pub', ...broker.plainOptions, '-t', 'kept', '-m', 'while away', '-q', '1']);
    assert.equal((await moat([...session, '-C', '1', '-W', '10'])).stdout, 'while away\n');
  });

  test('a will is sent when the client is killed', async () => {
    const watcher = await connect({ protocol: 'mqtt', port: broker.plain, username: 'alice', password: 'secret' });
    const wills = await watcher.subscribe('will', { qos: 1 });
    await retained('will-started', '-m', 'x');
    const will = ['--will-topic', 'will', '--will-payload', 'gone', '--will-qos', '1'];
    const child = startMoat(['sub', ...broker.plainOptions, '-t', 'will-started', ...will]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    for await (const { payload } of wills) {
      assert.equal(payload.toString(), 'gone');
      break;
    }
    await watcher.close();
  });

  test('SIGINT and SIGTERM end a subscriber with 0, and the end of its reader, too', async () => {
    await retained('signal', '-m', 'x');
    for (const signal of ['SIGINT', 'SIGTERM', undefined] as const) {
      const child = startMoat(['sub', ...broker.plainOptions, '-t', 'signal', '-t', 'more']);
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      if (signal) child.kill(signal);
      else {
        child.stdout.destroy();
        await moat(['pub', ...broker.plainOptions, '-t', 'more', '-m', 'x', '-q', '1']);
        await moat(['pub', ...broker.plainOptions, '-t', 'more', '-m', 'x', '-q', '1']);
      }
      assert.deepEqual(await ended, [0, null]);
    }
  });

  test('both reconnect when the broker comes back, and say so', async () => {
    const subscriber = startMoat(['sub', ...broker.plainOptions, '-t', 'again', '-q', '1']);
    const publisher = startMoat(['pub', ...broker.plainOptions, '-t', 'again', '-l', '-q', '1']);
    const received = createInterface(subscriber.stdout)[Symbol.asyncIterator]();
    const said = [subscriber, publisher].map((child) => createInterface(child.stderr)[Symbol.asyncIterator]());
    // Sent until the subscription is in place.
    const first = received.next();
    const knocking = setInterval(() => publisher.stdin.write('before\n'), 50);
    assert.equal((await first).value, 'before');
    clearInterval(knocking);
    await broker.restart();
    for (const lines of said) {
      assert.match((await lines.next()).value, /connection lost: .*; trying again in 0\.\d s/);
      assert.match((await lines.next()).value, /connected again/);
    }
    // Again until the subscription is back, which may be after the connection.
    const knockingAgain = setInterval(() => publisher.stdin.write('after\n'), 50);
    let line: string;
    do line = (await received.next()).value;
    while (line === 'before');
    clearInterval(knockingAgain);
    assert.equal(line, 'after');
    publisher.stdin.end();
    assert.deepEqual(await once(publisher, 'exit'), [0, null]);
    subscriber.kill('SIGTERM');
    await once(subscriber, 'exit');
  });
});
