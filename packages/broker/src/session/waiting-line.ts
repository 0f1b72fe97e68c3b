import { Fifo } from '../fifo.js';
import type { Delivery } from './delivery.js';

/** Deliveries in the order in which they came, of which some leave before it is their turn. */
export class WaitingLine {
  private readonly line = new Fifo<Delivery>();
  size = 0;

  get first(): Delivery | undefined {
    let first = this.line.first;
    while (first?.inLine === false) {
      this.line.shift();
      first = this.line.first;
    }
    return first;
  }

  /** Not to be called for one that is in it. */
  add(delivery: Delivery): void {
    delivery.inLine = true;
    this.line.push(delivery);
    this.size++;
  }

  /** Whether it was in it. */
  remove(delivery: Delivery): boolean {
    if (!delivery.inLine) return false;
    delivery.inLine = false;
    this.size--;
    return true;
  }

  clear(): void {
    for (const delivery of this.line.clear()) delivery.inLine = false;
    this.size = 0;
  }
}
