import { mostKeptAWhile } from '../routing/kept-bytes.js';
import type { Message } from '../routing/message.js';
import type { KeptMessages } from './kept-messages.js';
import { PacketIdentifiers } from './packet-identifiers.js';

/**
 * The QoS 2 messages of one client that await its PUBREL: each is delivered then, and once (MQTT 5.0 §4.3.3).
 *
 * Invariant: no more than `maximumBytes` are held back, and none without memory for it. A message beyond that is
 * delivered at once, behind those that were held before it, and only their packet identifiers stay.
 *
 * A run is held as one as long as nothing is asked of one of its messages; all its identifiers have it meanwhile.
 */
export class Incoming {
  /** In order of arrival; undefined once delivered. */
  private readonly held = new PacketIdentifiers<Message | undefined>();
  private bytes = 0;

  constructor(
    private readonly maximumBytes: number,
    private readonly kept: KeptMessages,
  ) {}

  /** Packet identifiers in use. */
  get size(): number {
    return this.held.size;
  }

  has(packetId: number): boolean {
    return this.held.has(packetId);
  }

  /** The message that is held back under an identifier; undefined once it was delivered. */
  get(packetId: number): Message | undefined {
    return this.held.get(packetId);
  }

  /** Holds a message back; returns those that are to be delivered already, by packet identifier. */
  hold(packetId: number, message: Message): ReadonlyMap<number, Message> {
    this.held.set(packetId, message);
    const { size } = message;
    if (this.bytes + size <= this.maximumBytes && this.kept.hasRoom(size)) {
      this.count(this.held.size > mostKeptAWhile ? message.keep() : message.keepAWhile());
      return none;
    }
    for (const each of this.messages()) if (each.count > 1) this.split(each);
    const due = new Map<number, Message>();
    for (const [id, each] of this.held.entries()) if (each !== undefined) due.set(id, each);
    for (const [id, each] of due) {
      if (each !== message) this.kept.letGo(each, each.size);
      this.held.set(id, undefined);
    }
    this.bytes = 0;
    return due;
  }

  /** Whether the messages of a run of so many bytes may be held as one. */
  mayHoldRun(packetIds: readonly number[], bytes: number): boolean {
    const { held } = this;
    if (held.size + packetIds.length > mostKeptAWhile) return false;
    if (this.bytes + bytes > this.maximumBytes || !this.kept.hasRoom(bytes)) return false;
    // None may be there twice, which is plain to see where they rise.
    return packetIds.every((id, index) => id > (packetIds[index - 1] ?? 0) && !held.has(id));
  }

  /** Holds back a run that may be. */
  holdRun(run: Message): void {
    for (const id of run.packetIds) this.held.set(id, run);
    this.count(run.keepAWhile());
  }

  /** Frees the identifiers of the run that has those from `at` on, in their order, and hands it over; undefined where there is none. */
  releaseRun(packetIds: readonly number[], at: number): Message | undefined {
    const run = this.held.get(packetIds[at] ?? 0);
    if (run === undefined || run.count === 1) return undefined;
    if (!run.packetIds.every((id, index) => id === packetIds[at + index])) return undefined;
    for (const id of run.packetIds) this.held.delete(id);
    this.discount(run);
    return run;
  }

  /** Takes up what the store held. */
  restore(packetId: number, message: Message | undefined): void {
    this.held.set(packetId, message);
    if (message !== undefined) this.count(message);
  }

  /** Frees the identifier and hands over its message. Known: {@link has}. */
  release(packetId: number): Message | undefined {
    const run = this.held.get(packetId);
    if (run !== undefined && run.count > 1) this.split(run);
    const message = this.held.get(packetId);
    this.held.delete(packetId);
    if (message !== undefined) this.discount(message);
    return message;
  }

  /** The session has ended: nothing is held for it. */
  end(): void {
    for (const message of this.messages()) this.discount(message);
  }

  /** Each that is held back, a run once. */
  private messages(): Set<Message> {
    return new Set(this.held.all().filter((message) => message !== undefined));
  }

  /** Holds the messages of a run one by one. */
  private split(run: Message): void {
    this.discount(run);
    for (const [index, single] of [...run.each()].entries()) {
      this.held.set(run.packetIds[index] ?? 0, single);
      this.count(single.keepAWhile());
    }
  }

  private count(message: Message): void {
    const { size } = message;
    this.bytes += size;
    this.kept.keep(message, size);
  }

  private discount(message: Message): void {
    const { size } = message;
    this.bytes -= size;
    this.kept.letGo(message, size);
  }
}

const none: ReadonlyMap<number, Message> = new Map();
