import type { Flushable, FlushQueue } from './flush-queue.js';
import { borrow, letGoOfSpareLendables } from './lendable.js';
import { Pieces, RepeatedPieces } from './pieces.js';
import type { OutgoingMemory, SharedBytes } from './shared-bytes.js';
import type { Wire } from './wire.js';

/** Frames of at least this size are referred to, not copied, where several wires get them. */
export const shareFrom = 2_048;

/** Spans of at least this size are borrowed, where they are lent. */
const borrowFrom = 16_384;

/** With so many bytes an outbox does not wait for the end of the turn. */
const pressFrom = 65_536;

/** Memory of one size that is used again: fresh memory costs page faults. */
class SlabPool {
  private readonly spare: Uint8Array[] = [];

  constructor(
    readonly size: number,
    private readonly most: number,
  ) {}

  take(): Uint8Array {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  giveBack(slab: Uint8Array): void {
    if (this.spare.length < this.most) this.spare.push(slab);
  }

  letGoOfSpare(): void {
    this.spare.length = 0;
  }
}

/** Of what is read. */
const readPieces = new Pieces();
/** Of slabs: a message that comes alone goes where the one before did, and is often as long. */
const slabPieces = new RepeatedPieces();
const smallSlabs = new SlabPool(16_384, 256);
const largeSlabs = new SlabPool(262_144, 16);

/** Lets go of the memory, at most 16 MiB, that is kept to be used again. */
export function letGoOfSpareSlabs(): void {
  smallSlabs.letGoOfSpare();
  largeSlabs.letGoOfSpare();
  letGoOfSpareLendables();
}

function takeSlab(length: number): Uint8Array {
  if (length <= smallSlabs.size) return smallSlabs.take();
  if (length <= largeSlabs.size) return largeSlabs.take();
  return Buffer.allocUnsafeSlow(length);
}

function returnSlab(slab: Uint8Array): void {
  if (slab.length === smallSlabs.size) smallSlabs.giveBack(slab);
  else if (slab.length === largeSlabs.size) largeSlabs.giveBack(slab);
}

/**
 * The batched writer of one wire. What is appended within a turn leaves in one write.
 *
 * ```
 *   append(small) -> [ slab: copied bytes ......|used ]
 *   append(large) -> chunks: [slab part][shared frame][slab part] -> one write each, in order
 * ```
 *
 * Invariants: bytes leave in the order of appending; nothing is written while an earlier write is pending, so
 * that what waits is counted here ({@link waiting}) and batched; all memory that is held is counted with that of
 * others; an idle outbox holds none.
 */
export class Outbox implements Flushable {
  // What each write looks at stands together: with hundreds of clients, none of it is in a cache.
  private slab: Uint8Array | undefined = undefined;
  /** Start of the part of the slab that no chunk refers to yet. */
  private open = 0;
  private used = 0;
  /** Bytes appended that were not yet handed to the wire. */
  private queued = 0;
  private marked = false;
  private held = false;
  /** Somebody was told that there is no room, and waits to be told that there is. */
  private awaited = false;
  private chunks: Uint8Array[] | undefined = undefined;
  /** Slabs that are full and whose bytes wait here. */
  private filled: Uint8Array[] | undefined = undefined;
  /** Slabs whose bytes the wire still holds. */
  private lent: Uint8Array[] | undefined = undefined;
  /** What others hold as well, in a chunk here or with the wire. */
  private shared: SharedBytes[] | undefined = undefined;
  private lentShared: SharedBytes[] | undefined = undefined;
  lastLook = 0;

  constructor(
    private readonly wire: Wire,
    private readonly flushQueue: FlushQueue,
    private readonly memory: OutgoingMemory,
  ) {}

  /** Bytes that have not left the process. */
  get waiting(): number {
    return this.queued + this.wire.pending;
  }

  /** Whether at most `limit` bytes wait. Where more do, the wire reports `drained` once all have left. */
  hasRoom(limit: number): boolean {
    if (this.waiting <= limit) return true;
    this.awaited = true;
    return false;
  }

  /** Appends a copy of `bytes[start, end)`; returns where the copy begins in {@link target}, for patching in place. */
  copy(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const offset = this.reserve(length);
    const target = this.slab as Uint8Array;
    if (length < 128) {
      for (let from = start, to = offset; from < end; ) target[to++] = bytes[from++] as number;
    } else {
      target.set(start === 0 && end === bytes.length ? bytes : readPieces.of(bytes, start, end), offset);
    }
    return offset;
  }

  /** Appends bytes of the read under way: where they are lent and can leave when it ends, themselves; else a copy. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const mayBorrow = end - start >= borrowFrom && !this.held && this.wire.pending === 0;
    const borrowed = mayBorrow ? borrow(bytes, start, end) : undefined;
    if (borrowed === undefined) {
      this.copy(bytes, start, end);
      return;
    }
    this.share(borrowed);
    this.flushQueue.press();
  }

  /** Room for `length` bytes, to be written by the caller into {@link target} from the returned offset on. */
  reserve(length: number): number {
    if (!this.marked) this.mark();
    this.queued += length;
    if (this.queued >= pressFrom) this.flushQueue.press();
    if (this.slab === undefined || this.used + length > this.slab.length) this.renew(length);
    const offset = this.used;
    this.used += length;
    return offset;
  }

  /** The slab that the last {@link copy} or {@link reserve} went into. */
  get target(): Uint8Array {
    return this.slab as Uint8Array;
  }

  /** Appends bytes by reference: they must not change until they have left. */
  share(shared: SharedBytes): void {
    const { bytes } = shared;
    if (shared.holders++ === 0) this.memory.bytes += bytes.length;
    this.shared ??= [];
    this.shared.push(shared);
    if (!this.marked) this.mark();
    this.queued += bytes.length;
    if (this.queued >= pressFrom) this.flushQueue.press();
    this.seal();
    this.chunks ??= [];
    this.chunks.push(bytes);
  }

  /** Keeps back what gathers, until {@link unhold}; what is to be finished before that never leaves. */
  hold(): void {
    this.held = true;
  }

  unhold(): void {
    this.held = false;
    this.flush();
  }

  /** Hands what has gathered to the wire, unless an earlier write is still pending. */
  flush(): void {
    this.marked = false;
    if (!this.held && this.queued > 0 && this.wire.pending === 0) this.handOver();
  }

  /** Hands over all there is, for nothing comes after it. */
  finish(): void {
    if (this.held) this.discard();
    if (this.queued > 0) this.handOver();
  }

  private handOver(): void {
    this.queued = 0;
    const { slab, chunks, awaited } = this;
    if (chunks === undefined) {
      this.release(this.wire.write(slabPieces.of(slab as Uint8Array, this.open, this.used), awaited));
      return;
    }
    this.seal();
    this.chunks = undefined;
    const [first] = chunks;
    this.release(
      chunks.length === 1 ? this.wire.write(first as Uint8Array, awaited) : this.wire.writeAll(chunks, awaited),
    );
  }

  /** The wire has sent all it had: what it held is free, what waited may go. */
  drained(): void {
    this.awaited = false;
    this.returnLent();
    this.flush();
  }

  /** Forgets what has gathered. */
  discard(): void {
    for (const slab of [this.slab, ...(this.filled ?? [])]) this.memory.bytes -= slab?.length ?? 0;
    this.letGo(this.shared);
    this.slab = undefined;
    this.chunks = undefined;
    this.filled = undefined;
    this.shared = undefined;
    this.queued = 0;
    this.open = 0;
    this.used = 0;
  }

  /** The wire is gone, with what it held. */
  closed(): void {
    this.discard();
    for (const slab of this.lent ?? []) this.memory.bytes -= slab.length;
    this.lent = undefined;
    this.letGo(this.lentShared);
    this.lentShared = undefined;
  }

  private mark(): void {
    this.marked = true;
    this.flushQueue.add(this);
  }

  /** Makes the open part of the slab a chunk of its own. */
  private seal(): void {
    if (this.slab !== undefined && this.used > this.open) {
      this.chunks ??= [];
      this.chunks.push(this.slab.subarray(this.open, this.used));
      this.open = this.used;
    }
  }

  private renew(length: number): void {
    this.seal();
    if (this.slab !== undefined) {
      this.filled ??= [];
      this.filled.push(this.slab);
    }
    this.slab = takeSlab(length);
    this.memory.bytes += this.slab.length;
    this.open = 0;
    this.used = 0;
  }

  /** After a write: the slabs are free if all has left, else when the wire drains. */
  private release(left: boolean): void {
    const { slab } = this;
    this.slab = undefined;
    this.open = 0;
    this.used = 0;
    if (this.shared !== undefined) {
      this.lentShared = this.lentShared?.concat(this.shared) ?? this.shared;
      this.shared = undefined;
    }
    if (left && this.filled === undefined && this.lent === undefined && this.lentShared === undefined) {
      if (slab !== undefined) this.giveBack(slab);
      return;
    }
    this.lent ??= [];
    this.lent.push(...(this.filled ?? []));
    this.filled = undefined;
    if (slab !== undefined) this.lent.push(slab);
    if (left) this.returnLent();
  }

  private returnLent(): void {
    for (const slab of this.lent ?? []) this.giveBack(slab);
    this.lent = undefined;
    this.letGo(this.lentShared);
    this.lentShared = undefined;
  }

  private giveBack(slab: Uint8Array): void {
    this.memory.bytes -= slab.length;
    returnSlab(slab);
  }

  private letGo(shared: readonly SharedBytes[] = []): void {
    for (const one of shared) {
      if (--one.holders > 0) continue;
      this.memory.bytes -= one.bytes.length;
      one.free();
    }
  }
}
