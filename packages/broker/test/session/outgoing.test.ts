import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CodecError, encode, type IncomingPublish, PacketType, Parser, ReasonCode } from '@moat/codec';
import { Message } from '../../dist/routing/message.js';
import { entriesBehind } from '../../dist/session/delivery.js';
import { Desk, Peer, plainTarget, SlowStore, turn } from './client.js';

const numbers = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `${first + index}`);
const sentAs = (first: number, last: number): string[] => numbers(first, last).map((each) => `${each}@${each}`);
const refusal = { name: CodecError.name, reasonCode: ReasonCode.protocolError } as const;

/** So many messages of QoS 1 that came in one read, while that lasts; a server finds a run in them. */
function arrived(count: number, role: 'client' | 'server' = 'client'): Message[] {
  const messages: Message[] = [];
  const publish = (packet: IncomingPublish): void => {
    messages.push(Message.arrived(packet, packet.topic, 'publisher', 0));
  };
  const limits = { role, version: 4, maximumPacketSize: 1_000, maximumUserProperties: 0 } as const;
  const packets = numbers(1, count).map((each) =>
    encode(
      {
        type: PacketType.PUBLISH,
        topic: 't',
        payload: Buffer.from(each.padStart(2, '0')),
        qos: 1,
        retain: false,
        dup: false,
        packetId: 1,
      },
      4,
    ),
  );
  const parser = new Parser({ publish, packet() {} }, limits);
  const connect = { type: PacketType.CONNECT, version: 4, cleanStart: true, keepAlive: 0, clientId: 'c' } as const;
  if (role === 'server') parser.feed(encode(connect, 4));
  parser.feed(Buffer.concat(packets));
  return messages;
}

function runOf(count: number): Message {
  const [run] = arrived(count, 'server');
  assert.equal(run?.count, count);
  return run as Message;
}

describe('Messages to a client', () => {
  it('leave at once while its quota lasts, then one for each that is done [MQTT-3.3.4-9]', () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer(2));
    for (const each of numbers(1, 5)) desk.push(each);
    assert.deepEqual(peer.take(), sentAs(1, 2));
    assert.equal(desk.outgoing.queued, 3);
    assert.equal(desk.outgoing.inFlightCount, 2);
    assert.equal(desk.outgoing.acknowledged(2, 1), true);
    assert.deepEqual(peer.take(), ['3@3']);
    assert.equal(desk.outgoing.acknowledged(2, 1), false);
    assert.deepEqual(peer.take(), []);
  });

  it('wait while it does not read, and leave in order when it does', () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer());
    peer.writable = false;
    for (const each of numbers(1, 3)) desk.push(each);
    assert.deepEqual(peer.take(), []);
    peer.writable = true;
    desk.outgoing.drain(peer);
    desk.push('4');
    assert.deepEqual(peer.take(), sentAs(1, 4));
  });

  it('of QoS 2 hold their place in the quota until PUBCOMP', () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer(1));
    desk.push('1', 2);
    desk.push('2', 2);
    assert.equal(desk.outgoing.received(1), true);
    assert.equal(desk.outgoing.received(1), true);
    assert.deepEqual(peer.take(), ['1@1']);
    assert.equal(desk.outgoing.completed(1), true);
    assert.equal(desk.outgoing.completed(1), false);
    assert.deepEqual(peer.take(), ['2@2']);
  });

  it('are acknowledged in the way of their QoS, or not at all', () => {
    const desk = new Desk();
    desk.attach(new Peer());
    desk.push('1', 1);
    desk.push('2', 2);
    assert.throws(() => desk.outgoing.received(1), refusal);
    assert.throws(() => desk.outgoing.completed(1), refusal);
    assert.throws(() => desk.outgoing.acknowledged(1, 2), refusal);
    assert.throws(() => desk.outgoing.acknowledged(2, 1), refusal);
    assert.throws(() => desk.outgoing.completed(2), refusal);
    for (const unknown of [3, 65_535]) {
      assert.equal(desk.outgoing.acknowledged(unknown, 1), false);
      assert.equal(desk.outgoing.received(unknown), false);
      assert.equal(desk.outgoing.completed(unknown), false);
    }
    assert.equal(desk.outgoing.inFlightCount, 2);
  });

  it('that are too large for it, forbidden or expired take no quota', () => {
    const desk = new Desk();
    const peer = new Peer(1);
    peer.largest = 5;
    peer.writable = false;
    desk.attach(peer);
    desk.push('too large');
    desk.push('no', 1, { topic: 'secret' });
    desk.push('old', 1, { expiresAt: Date.now() - 1 });
    desk.push('ok');
    desk.forbidden = 'secret';
    peer.writable = true;
    desk.outgoing.drain(peer);
    assert.deepEqual(peer.take(), ['ok@4']);
    assert.deepEqual(desk.drops, { queue_full: 0, expired: 1, not_authorized: 1, too_large: 1, not_stored: 0 });
  });

  it('that expire at once reach it if nothing waits', () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer(1));
    desk.push('now', 1, { expiresAt: Date.now() });
    desk.push('late', 1, { expiresAt: Date.now() });
    desk.outgoing.acknowledged(1, 1);
    assert.deepEqual(peer.take(), ['now@1']);
    assert.equal(desk.drops.expired, 1);
  });

  it('bear identifiers in turn, past those that are still open', () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer());
    for (let count = 1; count <= 65_535; count++) {
      desk.push('x');
      if (count !== 1 && count !== 65_535) desk.outgoing.acknowledged(count, 1);
    }
    peer.take();
    desk.push('x');
    desk.push('x');
    assert.deepEqual(peer.take(), ['x@2', 'x@3']);
  });

  it('wait when every identifier is open, and take the first that is free', () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer());
    for (let count = 1; count <= 65_536; count++) desk.push('x');
    assert.equal(peer.sent.length, 65_535);
    peer.take();
    desk.outgoing.acknowledged(1, 1);
    assert.deepEqual(peer.take(), ['x@1']);
  });

  it('are not more bytes in flight than a queue may hold, and one', () => {
    const desk = new Desk({ max_queued_bytes: 10 });
    const peer = desk.attach(new Peer());
    for (const each of ['aaaaa', 'bbbbb', 'ccccc']) desk.push(each);
    assert.deepEqual(peer.take(), ['aaaaa@1', 'bbbbb@2']);
    desk.outgoing.acknowledged(1, 1);
    assert.deepEqual(peer.take(), ['ccccc@3']);
  });
});

describe('A client that comes back', () => {
  const messageBytes = Message.of('t', Buffer.from('5'), { qos: 1 }).size;

  it('is sent again what is open, in order and within its quota, before what waits [MQTT-4.4.0-1] [MQTT-4.6.0-1]', async () => {
    const desk = new Desk();
    desk.attach(new Peer());
    for (const each of numbers(1, 4)) desk.push(each, 2);
    desk.outgoing.received(2);
    desk.detach();
    desk.push('5');
    assert.equal(desk.outgoing.inFlightCount, 4);
    assert.equal(desk.outgoing.queued, 1);
    assert.equal(desk.outgoing.queue.bytes, messageBytes);
    const peer = desk.attach(new Peer(2));
    await turn();
    assert.deepEqual(peer.take(), ['1@1!']);
    assert.deepEqual(peer.released, [2]);
    desk.outgoing.completed(2);
    assert.deepEqual(peer.take(), ['3@3!']);
    desk.outgoing.received(1);
    desk.outgoing.completed(1);
    assert.deepEqual(peer.take(), ['4@4!']);
  });

  it('is not sent again what it acknowledges before its turn', async () => {
    const desk = new Desk();
    desk.attach(new Peer());
    for (const each of numbers(1, 3)) desk.push(each);
    desk.detach();
    const peer = desk.attach(new Peer(1));
    await turn();
    assert.deepEqual(peer.take(), ['1@1!']);
    desk.outgoing.acknowledged(2, 1);
    desk.outgoing.acknowledged(1, 1);
    desk.outgoing.acknowledged(3, 1);
    assert.deepEqual(peer.take(), ['3@3!']);
    assert.equal(desk.outgoing.inFlightCount, 0);
  });

  it('gets what waited in the store, page by page and in order, with what comes meanwhile behind it', async () => {
    const desk = new Desk();
    for (const each of numbers(1, 700)) desk.push(each);
    const peer = desk.attach(new Peer());
    for (const each of numbers(701, 710)) desk.push(each);
    while (peer.sent.length < 710) await turn();
    assert.deepEqual(peer.take(), sentAs(1, 710));
    assert.equal(desk.outgoing.queued, 0);
    assert.equal(desk.outgoing.queue.bytes, 0);
  });

  it('gets one page in a turn of the event loop, in which others have theirs, however much of it has expired', async () => {
    const desk = new Desk();
    for (const each of numbers(1, 300)) desk.push(each);
    for (const each of numbers(301, 900)) desk.push(each, 1, { expiresAt: 1 });
    for (const each of numbers(901, 1_000)) desk.push(each);
    const peer = desk.attach(new Peer());
    const pages: number[] = [];
    for (let left = 1_000, before = left; left > 0; before = left) {
      await nextTurn();
      left = desk.outgoing.queued;
      if (left !== before) pages.push(before - left);
    }
    assert.deepEqual(pages, [256, 256, 256, 232]);
    assert.equal(peer.sent.length, 400);
    assert.equal(desk.drops.expired, 600);
  });

  it('keeps its place in a full queue that drops the oldest: what was sent is not dropped, and does not count', async () => {
    const desk = new Desk({ max_queued_messages: 3, queue_full: 'drop_oldest' });
    desk.attach(new Peer(2));
    for (const each of numbers(1, 4)) desk.push(each, 2);
    desk.detach();
    for (const each of numbers(5, 8)) desk.push(each, 2);
    await turn();
    assert.deepEqual([desk.outgoing.inFlightCount, desk.outgoing.queued, desk.drops.queue_full], [2, 3, 3]);
    const peer = desk.attach(new Peer());
    await turn();
    assert.deepEqual(peer.take(), ['1@1!', '2@2!', '6@6', '7@7', '8@8']);
    assert.equal(desk.outgoing.queue.bytes, 0);
  });

  it('gets what was left to the store because too much waited in memory', async () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer());
    peer.writable = false;
    for (const each of numbers(1, 3_000)) desk.push(each);
    peer.writable = true;
    desk.outgoing.drain(peer);
    while (peer.sent.length < 3_000) await turn();
    assert.deepEqual(peer.take(), sentAs(1, 3_000));
  });

  it('gets each message once when it goes while the store is being read', async () => {
    const desk = new Desk();
    for (const each of numbers(1, 300)) desk.push(each);
    const first = desk.attach(new Peer());
    desk.detach();
    const second = desk.attach(new Peer());
    await turn();
    desk.detach();
    await turn();
    const third = desk.attach(new Peer());
    while (third.sent.length < 300) await turn();
    assert.deepEqual(first.take(), []);
    assert.deepEqual(
      third.take().map((each) => each.replace('!', '')),
      sentAs(1, 300),
    );
    assert.ok(second.sent.length <= 300);
  });

  it('does not get twice what was open when messages were added without it', async () => {
    const desk = new Desk();
    desk.attach(new Peer(2));
    desk.push('1');
    desk.push('2');
    desk.detach();
    desk.push('3');
    const peer = desk.attach(new Peer());
    await turn();
    assert.deepEqual(peer.take(), ['1@1!', '2@2!', '3@3']);
  });
});

describe('A queue that is full', () => {
  for (const stored of [true, false]) {
    const where = stored ? 'in the store' : 'in memory';
    const fill = (desk: Desk, last: number): Peer => {
      const peer = new Peer();
      peer.writable = false;
      desk.attach(peer);
      for (const each of numbers(1, last)) desk.push(each);
      return peer;
    };

    it(`${where} refuses the newest by the one rule`, () => {
      const desk = new Desk({ max_queued_messages: 3 }, stored);
      const peer = fill(desk, 5);
      peer.writable = true;
      desk.outgoing.drain(peer);
      assert.deepEqual(peer.take(), sentAs(1, 3));
      assert.equal(desk.drops.queue_full, 2);
    });

    it(`${where} loses the oldest by the other`, () => {
      const desk = new Desk({ max_queued_messages: 3, queue_full: 'drop_oldest' }, stored);
      const peer = fill(desk, 5);
      peer.writable = true;
      desk.outgoing.drain(peer);
      assert.deepEqual(peer.take(), sentAs(3, 5));
      assert.equal(desk.drops.queue_full, 2);
    });
  }

  it('loses the oldest of an offline session, wherever its positions begin', async () => {
    const desk = new Desk({ max_queued_messages: 3, queue_full: 'drop_oldest' });
    desk.attach(new Peer());
    for (let id = 1; id <= 10; id++) {
      desk.push('x');
      desk.outgoing.acknowledged(id, 1);
    }
    desk.push('open');
    desk.detach();
    for (const each of numbers(12, 20)) desk.push(each);
    assert.equal(desk.outgoing.queued, 3);
    const peer = desk.attach(new Peer());
    while (peer.sent.length < 4) await turn();
    await turn();
    assert.deepEqual(peer.take(), ['open@11!', ...sentAs(18, 20)]);
    assert.equal(desk.drops.queue_full, 6);
    assert.equal(desk.outgoing.queue.bytes, 0);
  });

  it('counts what is left when the oldest of an offline session goes, however large it was', async () => {
    const desk = new Desk({ max_queued_messages: 3, queue_full: 'drop_oldest' });
    for (const size of [100, 10, 1, 1_000, 5]) desk.push('x'.repeat(size));
    await turn();
    const waiting = await desk.store.readQueue(desk.clientId, 0, 10);
    const sizes = waiting.map(({ message: { topic, payload } }) => topic.length + payload.length);
    assert.equal(sizes.length, 3);
    assert.equal(
      desk.outgoing.queue.bytes,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  });

  it('is not emptied for a message that can never fit', () => {
    const desk = new Desk({ max_queued_bytes: 10, queue_full: 'drop_oldest' });
    desk.push('small');
    desk.push('much too large for it');
    assert.equal(desk.outgoing.queued, 1);
    assert.equal(desk.drops.queue_full, 1);
  });

  it('of no messages at all lets pass what can leave at once', () => {
    const desk = new Desk({ max_queued_messages: 0, max_queued_bytes: 0 });
    const peer = desk.attach(new Peer());
    desk.push('1');
    assert.deepEqual(peer.take(), ['1@1']);
    desk.detach();
    desk.push('2');
    assert.equal(desk.outgoing.queued, 0);
    assert.equal(desk.drops.queue_full, 1);
  });
});

describe('What is left when a session ends', () => {
  const shared = { ...plainTarget, sharedFilter: '$share/g/t' };

  it('goes on if it came through a shared subscription and is not a QoS 2 message that was sent [MQTT-4.8.2-5]', async () => {
    const desk = new Desk();
    desk.attach(new Peer(3));
    desk.push('sent1', 1, { target: shared });
    desk.push('sent2', 2, { target: shared });
    desk.push('own', 1);
    desk.push('waits2', 2, { target: shared });
    desk.detach();
    for (let count = 0; count < 600; count++) desk.push('stored', 1, { target: shared });
    const given: string[] = [];
    const give = ({ payload }: Message): boolean => {
      given.push(Buffer.from(payload).toString());
      return true;
    };
    await desk.outgoing.handOver(give);
    assert.deepEqual(given.splice(0), ['sent1', 'waits2', ...new Array<string>(600).fill('stored')]);
    assert.equal(desk.outgoing.queued, 0);
    assert.equal(desk.outgoing.inFlightCount, 2);
    desk.outgoing.giveRest(give);
    assert.deepEqual(given, []);
  });
});

describe('Messages to a client whose session ends with its connection', () => {
  const shared = { ...plainTarget, sharedFilter: '$share/g/t' };
  const waiting = (desk: Desk): string[] =>
    entriesBehind(desk.outgoing.inMemory(), 0, 100).map(({ message }) => Buffer.from(message.payload).toString());

  it('are not kept once they have left: nobody will send them again', () => {
    const desk = new Desk({}, false);
    const peer = desk.attach(new Peer(2));
    for (const qos of [1, 2] as const) desk.push('x'.repeat(1_000), qos);
    assert.equal(peer.take().length, 2);
    assert.ok(desk.buffered.bytes < 1_000);
    assert.equal(desk.outgoing.bytesInFlight, 0);
    assert.equal(desk.outgoing.inFlightCount, 2);
    assert.deepEqual(waiting(desk), []);
    desk.outgoing.acknowledged(1, 1);
    assert.equal(desk.outgoing.received(2), true);
    assert.equal(desk.outgoing.completed(2), true);
    assert.equal(desk.outgoing.inFlightCount, 0);
    assert.equal(desk.buffered.bytes, 0);
  });

  it('are kept while they wait', () => {
    const desk = new Desk({}, false);
    const peer = desk.attach(new Peer(1));
    for (const each of numbers(1, 3)) desk.push(each);
    assert.deepEqual(peer.take(), ['1@1']);
    assert.deepEqual(waiting(desk), ['2', '3']);
    desk.outgoing.acknowledged(1, 1);
    assert.deepEqual(peer.take(), ['2@2']);
  });

  it('take no quota where they are too large for it', () => {
    const desk = new Desk({}, false);
    const peer = desk.attach(new Peer(1));
    peer.largest = 5;
    desk.push('too large');
    desk.push('ok');
    assert.deepEqual(peer.take(), ['ok@2']);
    assert.equal(desk.drops.too_large, 1);
    desk.outgoing.acknowledged(2, 1);
    assert.equal(desk.buffered.bytes, 0);
  });

  it('leave nothing that is counted when the session ends', () => {
    const desk = new Desk({}, false);
    desk.attach(new Peer());
    for (const payload of ['1', '2', '3']) desk.push(payload);
    desk.outgoing.acknowledged(2, 1);
    assert.ok(desk.buffered.bytes > 0);
    desk.outgoing.end();
    assert.equal(desk.buffered.bytes, 0);
  });

  it('are kept where another member of a shared subscription may get them, the first 64 beside what came with them', () => {
    const desk = new Desk({}, false);
    desk.attach(new Peer());
    const messages = arrived(66);
    for (const message of messages) desk.outgoing.push(message, 1, false, shared);
    const memory = messages.map(({ payload }) => payload.buffer.byteLength);
    assert.ok(memory.slice(0, 64).every((bytes) => bytes > messages.length * 5));
    assert.deepEqual(memory.slice(64), [9, 9]); // the packet
    const given: Message[] = [];
    desk.detach();
    desk.outgoing.giveRest((message) => given.push(message) > 0);
    assert.deepEqual(given, messages);
  });

  it('leave as they came in a run, each with its identifier, where all of them can leave now', () => {
    const desk = new Desk({}, false);
    const peer = desk.attach(new Peer(5));
    desk.outgoing.pushRun(runOf(3), 1, plainTarget);
    assert.equal(peer.runs, 1);
    assert.deepEqual(peer.take(), ['01@1', '02@2', '03@3']);
    assert.equal(desk.outgoing.sentUpTo, 3);
    assert.equal(desk.outgoing.inFlightCount, 3);
    assert.equal(desk.outgoing.bytesInFlight, 0);
    desk.outgoing.pushRun(runOf(3), 1, plainTarget); // one too many
    assert.equal(peer.runs, 1);
    assert.deepEqual(peer.take(), ['01@4', '02@5']);
    desk.outgoing.pushRun(runOf(2), 1, plainTarget); // behind what waits
    for (const id of [2, 1, 5, 3, 4]) assert.equal(desk.outgoing.acknowledged(id, 1), true);
    assert.deepEqual(peer.take(), ['03@6', '01@7', '02@8']);
    assert.equal(peer.runs, 1);
    desk.outgoing.pushRun(runOf(2), 1, plainTarget);
    assert.equal(peer.runs, 2);
    assert.deepEqual(peer.take(), ['01@9', '02@10']);
  });

  it('leave one by one out of a run where they are kept, do not fit, or find no memory', () => {
    const stored = new Desk();
    const sharing = new Desk({}, false);
    const small = new Desk({}, false);
    const crowded = new Desk({}, false);
    const unread = new Desk({}, false);
    const peers = [stored, sharing, small, crowded, unread].map((desk) => desk.attach(new Peer()));
    for (const peer of peers.slice(2, 3)) peer.largest = 8;
    for (const peer of peers.slice(4)) peer.writable = false;
    crowded.crowd(true);
    for (const desk of [stored, small, crowded, unread]) desk.outgoing.pushRun(runOf(2), 1, plainTarget);
    sharing.outgoing.pushRun(runOf(2), 1, shared);
    assert.deepEqual(
      peers.map((peer) => peer.runs),
      [0, 0, 0, 0, 0],
    );
    assert.deepEqual(
      peers.map((peer) => peer.take().length),
      [2, 2, 2, 0, 0],
    );
    assert.equal(crowded.drops.queue_full, 2);
    assert.equal(unread.outgoing.queued, 2);
    assert.equal(waiting(sharing).length, 2);
  });

  it('bear identifiers that are free, in a run, too', () => {
    const desk = new Desk({}, false);
    const peer = desk.attach(new Peer());
    for (let count = 1; count < 65_535; count++) {
      desk.push('x');
      if (count !== 2) desk.outgoing.acknowledged(count, 1);
    }
    peer.take();
    desk.outgoing.pushRun(runOf(4), 1, plainTarget);
    assert.deepEqual(peer.take(), ['01@65535', '02@1', '03@3', '04@4']);
    assert.equal(peer.runs, 1);
  });

  it('are kept by themselves where they wait, and where the store has them', () => {
    for (const stored of [false, true]) {
      const desk = new Desk({}, stored);
      if (stored) desk.attach(new Peer());
      const [message] = arrived(2);
      if (message !== undefined) desk.outgoing.push(message, 1, false, plainTarget);
      assert.equal(message?.payload.buffer.byteLength, 9);
    }
  });
});

describe('Messages to a client with a stored session', () => {
  const slow = (stored = true): Desk => new Desk({ max_queued_messages: 0 }, stored, new SlowStore());

  it('leave at once when they are of QoS 1, and of QoS 2 when they are durable [MQTT-4.3.3-2]', async () => {
    const desk = slow();
    const peer = desk.attach(new Peer());
    desk.push('1', 1);
    desk.push('2', 2);
    desk.push('3', 2);
    desk.push('4', 1);
    assert.deepEqual(peer.take(), ['1@1']);
    assert.equal(desk.outgoing.received(2), false);
    assert.equal(desk.outgoing.completed(2), false);
    assert.throws(() => desk.outgoing.acknowledged(2, 1), refusal);
    await turn();
    await turn();
    assert.deepEqual(peer.take(), sentAs(2, 4));
    assert.deepEqual(desk.drops, { queue_full: 0, expired: 0, not_authorized: 0, too_large: 0, not_stored: 0 });
  });

  it('count against its quota while they wait', async () => {
    const desk = slow();
    const peer = desk.attach(new Peer(2));
    for (const each of numbers(1, 3)) desk.push(each, 2);
    assert.equal(desk.drops.queue_full, 1);
    await turn();
    await turn();
    assert.deepEqual(peer.take(), sentAs(1, 2));
  });

  it('are new to it when it was gone before they were durable', async () => {
    const desk = slow();
    const peer = desk.attach(new Peer());
    desk.push('1', 2);
    desk.detach();
    await turn();
    assert.deepEqual(peer.take(), []);
    desk.forbidden = undefined;
    const next = desk.attach(new Peer());
    await turn();
    await turn();
    assert.deepEqual(next.take(), ['1@1']);
  });

  it('are judged again when they leave, and free the quota when they may not', async () => {
    const desk = slow();
    const peer = desk.attach(new Peer(1));
    desk.push('1', 2);
    desk.forbidden = 't';
    await turn();
    assert.deepEqual(peer.take(), []);
    assert.equal(desk.drops.not_authorized, 1);
    desk.forbidden = undefined;
    desk.push('2', 1);
    assert.deepEqual(peer.take(), ['2@2']);
  });

  it('wait for nothing when the session is not stored', () => {
    const desk = slow(false);
    const peer = desk.attach(new Peer());
    desk.push('1', 2);
    assert.deepEqual(peer.take(), ['1@1']);
  });

  it('get identifiers after a crash that nothing sent before it had', () => {
    const restored = { count: 0, bytes: 0, lastPosition: 7, sentUpTo: 7 };
    const desk = new Desk({}, true, undefined, { ...restored, crashed: true });
    const peer = desk.attach(new Peer());
    desk.push('1', 1);
    assert.deepEqual(peer.take(), [`1@${7 + 32_768 + 1}`]);
    const ended = new Desk({}, true, undefined, { ...restored, crashed: false });
    const other = ended.attach(new Peer());
    ended.push('1', 1);
    assert.deepEqual(other.take(), ['1@8']);
  });
});
