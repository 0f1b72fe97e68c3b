import { SharedBytes } from './shared-bytes.js';

/** More than a fast sender has sent while the read before was handled: each end of a read cuts a message, which is then copied. */
const size = 1_048_576;
/** So many there are at most. */
const most = 8;

/**
 * Memory that one socket reads into, and that outboxes send from without a copy of their own. While some do, the socket reads
 * elsewhere.
 */
export class Lendable {
  readonly bytes: Uint8Array = Buffer.allocUnsafeSlow(size);
  /** Whether a socket reads into it. */
  isTaken = true;
  /** Spans of it that outboxes have. */
  loans = 0;
}

/** A span of it, which an outbox has until it has left. */
class Loan extends SharedBytes {
  constructor(
    bytes: Uint8Array,
    private readonly lender: Lendable,
  ) {
    super(bytes);
    lender.loans++;
  }

  override free(): void {
    this.lender.loans--;
  }
}

let all: readonly Lendable[] = [];
/** What the read under way went into. */
let current: Lendable | undefined;
/** What it went into, if nothing of that can be lent; and whether somebody would have borrowed of it. */
let unlendable: Uint8Array | undefined;
let asked = false;

/** One to read into; undefined where all are in use. The taker sets `isTaken` back. */
export function takeLendable(): Lendable | undefined {
  const free = all.find(({ isTaken, loans }) => !isTaken && loans === 0);
  if (free !== undefined) {
    free.isTaken = true;
    return free;
  }
  if (all.length >= most) return undefined;
  const made = new Lendable();
  all = [...all, made];
  return made;
}

/** Lets go of the memory that is kept to be used again. */
export function letGoOfSpareLendables(): void {
  all = all.filter(({ isTaken, loans }) => isTaken || loans > 0);
}

/** Handles a read into memory of which nothing can be lent; tells whether something would have been borrowed. */
export function askedToLend(bytes: Uint8Array, handle: () => void): boolean {
  asked = false;
  unlendable = bytes;
  try {
    handle();
  } finally {
    unlendable = undefined;
  }
  return asked;
}

/** Handles a read into it, whose bytes are lent meanwhile. */
export function lending(lendable: Lendable, handle: () => void): void {
  current = lendable;
  try {
    handle();
  } finally {
    current = undefined;
  }
}

/** A span of the read under way, if that is lent; whoever is given it shares it with nobody else. */
export function borrow(bytes: Uint8Array, start: number, end: number): SharedBytes | undefined {
  if (bytes === unlendable) asked = true;
  return current?.bytes === bytes ? new Loan(bytes.subarray(start, end), current) : undefined;
}
