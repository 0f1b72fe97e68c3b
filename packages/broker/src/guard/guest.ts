/** What can be closed to make room. */
export interface Closable {
  destroy(): void;
}

/** A client that nothing proves, as far as its slot goes. */
export interface Anonymous {
  /** Milliseconds of a monotonic clock. */
  readonly lastReceived: number;
  /** Ends it, because its slot is needed. */
  makeRoom(): void;
}

/** One that was let in, from its first byte to its last. */
export class Guest {
  /** Who it is, once its CONNECT was accepted without any proof. */
  client: Anonymous | undefined = undefined;
  private present = true;
  /** Its place among others of its kind. */
  list: object | undefined = undefined;
  before: Guest | undefined = undefined;
  after: Guest | undefined = undefined;

  constructor(
    readonly door: object & { readonly share: { open: number } },
    readonly address: string,
    readonly socket: Closable,
    /** Somebody has proven at its address who it is. */
    readonly isKnown: boolean,
    private readonly gone: (guest: Guest) => void,
  ) {}

  /** To be called when its socket has closed; more often does no harm. */
  left(): void {
    if (!this.present) return;
    this.present = false;
    this.client = undefined; // whatever still knows this guest is not to hold it
    this.gone(this);
  }

  get isPresent(): boolean {
    return this.present;
  }
}
