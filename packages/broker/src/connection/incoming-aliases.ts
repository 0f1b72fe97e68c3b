import type { Budget } from '../guard/budget.js';
import { aliasBytes } from './topic-aliases.js';

/** The aliases that one client has set (MQTT 5.0 §3.3.2.3.4). */
export class IncomingAliases {
  private readonly topics: string[] = [];
  private bytes = 0;

  /** @param all what the aliases of all clients take */
  constructor(private readonly all: Budget) {}

  topicOf(alias: number): string | undefined {
    return this.topics[alias];
  }

  /** Sets an alias, or changes it; false where there is no room for it in all. // [MQTT-3.3.2-7] */
  set(alias: number, topic: string): boolean {
    const before = this.topics[alias];
    if (before === topic) return true;
    const more = aliasBytes(topic) - (before === undefined ? 0 : aliasBytes(before));
    if (!this.all.take(more)) return false;
    this.bytes += more;
    this.topics[alias] = topic;
    return true;
  }

  /** The client is gone. */
  end(): void {
    this.all.bytes -= this.bytes;
  }
}
