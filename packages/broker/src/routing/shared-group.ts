import type { Message } from './message.js';
import type { Subscriber } from './subscriber.js';
import { type PackedOptions, type Place, Subscription } from './subscription.js';
import { sharedTarget } from './target.js';

/**
 * The members of one shared subscription (MQTT 5.0 §4.8.2): each message goes to one of them, in turn, and past
 * those that are away, do not read or do not acknowledge while another can take it.
 */
export class SharedGroup implements Place {
  private readonly members: Subscription[] = [];
  private next = 0;

  constructor(
    readonly shareName: string,
    /** Where the filter behind the share name ends. */
    private readonly inner: { readonly filter: string },
  ) {}

  get filter(): string {
    return `$share/${this.shareName}/${this.inner.filter}`;
  }

  get size(): number {
    return this.members.length;
  }

  subscriptionOf(subscriber: Subscriber): Subscription | undefined {
    return this.members.find((member) => member.subscriber === subscriber);
  }

  /** Adds a member or changes its options; tells whether it is new. */
  set(subscriber: Subscriber, options: PackedOptions): boolean {
    const index = this.indexOf(subscriber);
    this.members[index < 0 ? this.members.length : index] = new Subscription(subscriber, this, options);
    return index < 0;
  }

  delete(subscriber: Subscriber): void {
    const index = this.indexOf(subscriber);
    if (index < 0) return;
    this.members.splice(index, 1);
    if (this.next > index) this.next--;
  }

  /** Whether a message of QoS 1 or 2 may have to be stored for the member that gets it. */
  get mayStore(): boolean {
    return this.members.some(({ qos, subscriber }) => qos > 0 && subscriber.stored);
  }

  /** All members, for listing. */
  all(): readonly Subscription[] {
    return this.members;
  }

  /** Gives the message to one member, but not to `except`; false when nobody may take it. */
  deliver(message: Message, except?: Subscriber): boolean {
    const member = this.pick(message.topic, except);
    if (member === undefined) return false;
    member.subscriber.deliver(message, sharedTarget(member)); // [MQTT-4.8.2-3]
    return true;
  }

  private indexOf(subscriber: Subscriber): number {
    return this.members.findIndex((member) => member.subscriber === subscriber);
  }

  private pick(topic: string, except: Subscriber | undefined): Subscription | undefined {
    const { members } = this;
    let busy = -1;
    for (let step = 0; step < members.length; step++) {
      const index = (this.next + step) % members.length;
      const { subscriber } = members[index] as Subscription;
      if (subscriber === except || !subscriber.mayReceive(topic)) continue;
      if (subscriber.available) return this.turnOf(index);
      if (busy < 0) busy = index;
    }
    return busy < 0 ? undefined : this.turnOf(busy);
  }

  private turnOf(index: number): Subscription {
    this.next = (index + 1) % this.members.length;
    return this.members[index] as Subscription;
  }
}
