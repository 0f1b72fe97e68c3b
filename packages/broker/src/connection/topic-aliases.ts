import type { Budget } from '../guard/budget.js';

/** How a topic goes out: with an alias the first time, by the alias alone from then on. */
export interface AliasUse {
  /** 0 for none. */
  readonly topicAlias: number;
  readonly aliasKnown: boolean;
}

const none: AliasUse = { topicAlias: 0, aliasKnown: false };

/** Why a topic goes out in full, by its name in the configuration. */
export type AliasShortage = 'max_topic_alias_broker' | 'max_alias_bytes';

/** Bytes that an alias takes, about. */
export function aliasBytes(topic: string): number {
  return 64 + 2 * topic.length;
}

/** The aliases that the broker has set towards one client (MQTT 5.0 §3.3.2.3.4), first come first served. */
export class TopicAliases {
  private readonly aliases = new Map<string, number>();
  private bytes = 0;

  /**
   * @param maximum as the client allows, and no more than the operator
   * @param all what the aliases of all clients take
   * @param goesInFull told of each topic for which there is none left, and why
   */
  constructor(
    private readonly maximum: number,
    private readonly all: Budget,
    private readonly goesInFull: (why: AliasShortage) => void,
  ) {}

  assign(topic: string): AliasUse {
    const known = this.aliases.get(topic);
    if (known !== undefined) return { topicAlias: known, aliasKnown: true };
    // [MQTT-3.1.2-26] [MQTT-3.3.2-11]
    const full = this.aliases.size >= this.maximum;
    if (full || !this.all.take(aliasBytes(topic))) {
      this.goesInFull(full ? 'max_topic_alias_broker' : 'max_alias_bytes');
      return none;
    }
    this.bytes += aliasBytes(topic);
    const topicAlias = this.aliases.size + 1;
    this.aliases.set(topic, topicAlias);
    return { topicAlias, aliasKnown: false };
  }

  /** The packet that would have told the client of an alias was not sent. */
  withdraw(use: AliasUse): void {
    if (use.topicAlias === 0 || use.aliasKnown) return;
    for (const [topic, alias] of this.aliases) {
      if (alias !== use.topicAlias) continue;
      this.aliases.delete(topic);
      this.letGo(aliasBytes(topic));
    }
  }

  /** The client is gone. */
  end(): void {
    this.letGo(this.bytes);
  }

  private letGo(bytes: number): void {
    this.bytes -= bytes;
    this.all.bytes -= bytes;
  }
}
