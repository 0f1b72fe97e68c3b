/** A first-in first-out queue whose `shift` does not move the rest. */
export class Fifo<T> {
  private items: T[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  get first(): T | undefined {
    return this.items[this.head];
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    const item = this.items[this.head];
    if (item === undefined) return undefined;
    this.head++;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head > 1_024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  /** What is in it, first to last. */
  all(): T[] {
    return this.items.slice(this.head);
  }

  /** Takes all out. */
  clear(): T[] {
    const rest = this.all();
    this.items = [];
    this.head = 0;
    return rest;
  }
}
