import type { Message } from './message.js';

/** Retained messages at hand, the one used longest ago first. Invariant: no more bytes than the limit says. */
export class RetainedCache {
  private readonly messages = new Map<string, Message>();
  private total = 0;

  constructor(private readonly limits: { readonly retained_cache_bytes: number }) {}

  get(topic: string): Message | undefined {
    const message = this.messages.get(topic);
    if (message !== undefined) {
      this.messages.delete(topic);
      this.messages.set(topic, message);
    }
    return message;
  }

  set(message: Message): void {
    this.delete(message.topic);
    if (message.size > this.limits.retained_cache_bytes) return; // it would displace all others, and then itself
    this.messages.set(message.topic, message.keep()); // [MQTT-3.3.1-5] [MQTT3-3.3.1-7]
    this.total += message.size;
    for (const oldest of this.messages.keys()) {
      if (this.total <= this.limits.retained_cache_bytes) break;
      this.delete(oldest);
    }
  }

  delete(topic: string): void {
    const message = this.messages.get(topic);
    if (message === undefined) return;
    this.messages.delete(topic);
    this.total -= message.size;
  }
}
