/** What bounds the number of connections. */
export interface AdmissionLimits {
  readonly max_connections: number;
}

/**
 * Counts connections from the moment they are accepted, before anything else is spent on them: for one listener
 * and in all.
 */
export class Admission {
  private total = 0;

  constructor(private readonly limits: AdmissionLimits) {}

  get connections(): number {
    return this.total;
  }

  /** The door of one listener, with its own bound. */
  door(limits: AdmissionLimits): Door {
    let open = 0;
    const door: Door = {
      limits,
      admit: () => {
        if (this.total >= this.limits.max_connections || open >= door.limits.max_connections) return false;
        this.total++;
        open++;
        return true;
      },
      left: () => {
        this.total--;
        open--;
      },
    };
    return door;
  }
}

/** Lets connections in, and is told when they have gone. */
export interface Door {
  /** May be replaced while it is open. */
  limits: AdmissionLimits;
  admit(): boolean;
  left(): void;
}
