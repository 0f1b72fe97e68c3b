import type { Store } from '../storage/store.js';

/** Looks again when what the store was told may be durable. */
export class UntilDurable {
  private awaits = false;

  constructor(
    private readonly store: Store,
    private readonly look: () => void,
  ) {}

  wait(): void {
    if (this.awaits) return;
    this.awaits = true;
    const settled = (): void => {
      this.awaits = false;
      this.look();
    };
    this.store.commit().then(settled, () => {
      this.awaits = false;
    });
  }
}
