import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Buffered } from '../../dist/guard/buffered.js';
import { Message } from '../../dist/routing/message.js';
import { Incoming } from '../../dist/session/incoming.js';
import { KeptMessages } from '../../dist/session/kept-messages.js';
import { Desk, Peer, turn } from '../session/client.js';

describe('Bytes that wait for all clients together', () => {
  it('have room up to one and a half times the limit, where the steps against an overload begin', () => {
    const buffered = new Buffered({ max_buffered_bytes: 1_000 });
    buffered.bytes = 1_400;
    assert.equal(buffered.hasRoom(100), true);
    assert.equal(buffered.hasRoom(101), false);
  });

  it('are told of room once, if somebody found none', () => {
    const buffered = new Buffered({ max_buffered_bytes: 1_000 });
    assert.equal(buffered.recovered(), false);
    assert.equal(buffered.hasRoom(1_501), false);
    buffered.bytes = 1_501;
    assert.equal(buffered.recovered(), false);
    buffered.bytes = 0;
    assert.deepEqual([buffered.recovered(), buffered.recovered()], [true, false]);
  });

  it('count a message once, however many sessions keep it', () => {
    const buffered = new Buffered({ max_buffered_bytes: 1_000_000 });
    const kept = new KeptMessages(buffered);
    const message = Message.of('t', Buffer.alloc(10_000));
    for (let session = 0; session < 100; session++) kept.keep(message, message.size);
    assert.ok(buffered.bytes >= 10_000 && buffered.bytes < 10_000 + 100 * 200);
    for (let session = 0; session < 100; session++) kept.letGo(message, message.size);
    assert.equal(buffered.bytes, 0);
  });
});

describe('Where there is no room', () => {
  it('a message for a stored session is left to the store, and comes when there is', async () => {
    const desk = new Desk();
    const peer = desk.attach(new Peer());
    desk.crowd(true);
    const { bytes } = desk.buffered;
    desk.push('a');
    desk.push('b', 2);
    await turn();
    assert.equal(desk.buffered.bytes, bytes);
    assert.deepEqual(peer.take(), []);
    desk.crowd(false);
    desk.outgoing.drain(peer);
    await turn();
    assert.deepEqual(peer.take(), ['a@1', 'b@2']);
    assert.equal(desk.drops.queue_full, 0);
  });

  it('one for a session that is nowhere else is dropped as from a full queue', () => {
    const desk = new Desk({}, false);
    const peer = desk.attach(new Peer());
    desk.crowd(true);
    desk.push('a');
    assert.equal(desk.drops.queue_full, 1);
    desk.crowd(false);
    desk.push('b');
    assert.deepEqual(peer.take(), ['b@1']);
    desk.outgoing.end();
    assert.equal(desk.buffered.bytes, 0);
  });

  it('a QoS 2 message is not held back for its PUBREL, and those that were go before it', () => {
    const buffered = new Buffered({ max_buffered_bytes: 1_000 });
    const incoming = new Incoming(10_000, new KeptMessages(buffered));
    const [first, second] = [Message.of('t', Buffer.alloc(1_000)), Message.of('t', Buffer.alloc(1_000))];
    assert.equal(incoming.hold(1, first).size, 0);
    assert.deepEqual([...incoming.hold(2, second).values()], [first, second]);
    assert.equal(buffered.bytes, 0);
    assert.equal(incoming.hold(3, Message.of('t', Buffer.alloc(5))).size, 0);
    incoming.release(3);
    assert.equal(incoming.hold(4, Message.of('t', Buffer.alloc(5))).size, 0);
    incoming.end();
    assert.equal(buffered.bytes, 0);
  });
});
