import { mostKeptAWhile } from '../routing/kept-bytes.js';
import type { Message } from '../routing/message.js';
import type { KeptMessages } from './kept-messages.js';
import { PacketIdentifiers } from './packet-identifiers.js';

/** A message that is held back, or a run of them, and between which packet identifiers those of its messages lie. */
interface Held {
  readonly message: Message;
  readonly first: number;
  readonly last: number;
}

/**
 * The QoS 2 messages of one client that await its PUBREL: each is delivered then, and once (MQTT 5.0 §4.3.3).
 *
 * Invariant: no more than `maximumBytes` are held back, and none without memory for it. A message beyond that is
 * delivered at once, behind those that were held before it, and only their packet identifiers stay.
 *
 * As long as they are few they stand in a line, where a run is one as long as nothing is asked of one of its messages.
 */
export class Incoming {
  /** In order of arrival; undefined once delivered. */
  private readonly held = new PacketIdentifiers<Message | undefined>();
  /** Those that came after them, in order. */
  private line: Held[] = [];
  private inLine = 0;
  private bytes = 0;

  constructor(
    private readonly maximumBytes: number,
    private readonly kept: KeptMessages,
  ) {}

  /** Packet identifiers in use. */
  get size(): number {
    return this.held.size + this.inLine;
  }

  has(packetId: number): boolean {
    return this.held.has(packetId) || this.find(packetId) !== undefined;
  }

  /** The message that is held back under an identifier, or the run with it; undefined once it was delivered. */
  get(packetId: number): Message | undefined {
    return this.find(packetId)?.message ?? this.held.get(packetId);
  }

  /** Holds a message back; returns those that are to be delivered already, by packet identifier. */
  hold(packetId: number, message: Message): ReadonlyMap<number, Message> {
    const { size } = message;
    if (this.bytes + size <= this.maximumBytes && this.kept.hasRoom(size)) {
      const isBrief = this.size < mostKeptAWhile;
      this.count(isBrief ? message.keepAWhile() : message.keep());
      if (isBrief) this.push({ message, first: packetId, last: packetId });
      else {
        this.breakUp();
        this.held.set(packetId, message);
      }
      return none;
    }
    this.breakUp();
    const due = new Map<number, Message>();
    for (const [id, each] of this.held.entries()) if (each !== undefined) due.set(id, each);
    for (const [id, each] of due) {
      this.kept.letGo(each, each.size);
      this.held.set(id, undefined);
    }
    this.bytes = 0;
    this.held.set(packetId, undefined);
    return due.set(packetId, message);
  }

  /** Whether the messages of a run of so many bytes may be held as one. */
  mayHoldRun(packetIds: readonly number[], bytes: number): boolean {
    if (this.size + packetIds.length > mostKeptAWhile) return false;
    if (this.bytes + bytes > this.maximumBytes || !this.kept.hasRoom(bytes)) return false;
    // None may be there twice, which is plain to see where they rise.
    return packetIds.every((id, index) => id > (packetIds[index - 1] ?? 0) && !this.has(id));
  }

  /** Holds back a run that may be. */
  holdRun(run: Message): void {
    this.count(run.keepAWhile());
    const { packetIds } = run;
    this.push({ message: run, first: packetIds[0] as number, last: packetIds.at(-1) as number });
  }

  /** Frees the identifiers of the run that has those from `at` on, in their order, and hands it over; undefined where there is none. */
  releaseRun(packetIds: readonly number[], at: number): Message | undefined {
    const held = this.find(packetIds[at] ?? 0);
    if (held === undefined || held.message.count === 1) return undefined;
    if (!held.message.packetIds.every((id, index) => id === packetIds[at + index])) return undefined;
    this.remove(held);
    return held.message;
  }

  /** Takes up what the store held. */
  restore(packetId: number, message: Message | undefined): void {
    this.held.set(packetId, message);
    if (message !== undefined) this.count(message);
  }

  /** Frees the identifier and hands over its message. Known: {@link has}. */
  release(packetId: number): Message | undefined {
    const held = this.find(packetId);
    if (held?.message.count === 1) {
      this.remove(held);
      return held.message;
    }
    if (held !== undefined) this.breakUp();
    const message = this.held.get(packetId);
    this.held.delete(packetId);
    if (message !== undefined) this.discount(message);
    return message;
  }

  /** The session has ended: nothing is held for it. */
  end(): void {
    for (const { message } of this.line) this.discount(message);
    for (const message of this.held.all()) if (message !== undefined) this.discount(message);
  }

  private find(packetId: number): Held | undefined {
    for (const held of this.line) {
      const { message, first, last } = held;
      if (packetId === first || (packetId > first && packetId <= last && message.packetIds.includes(packetId)))
        return held;
    }
    return undefined;
  }

  private push(held: Held): void {
    this.line.push(held);
    this.inLine += held.message.count;
  }

  private remove(held: Held): void {
    if (this.line[0] === held) this.line.shift();
    else this.line.splice(this.line.indexOf(held), 1);
    this.inLine -= held.message.count;
    this.discount(held.message);
  }

  /** Nobody stands in line any more; the messages of runs are held one by one. */
  private breakUp(): void {
    const { line } = this;
    this.line = [];
    this.inLine = 0;
    for (const { message, first } of line) {
      if (message.count === 1) this.held.set(first, message);
      else this.split(message);
    }
  }

  private split(run: Message): void {
    this.discount(run);
    for (const [index, single] of [...run.each()].entries()) {
      this.held.set(run.packetIds[index] as number, single);
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
