/** How a topic goes out: with an alias the first time, by the alias alone from then on. */
export interface AliasUse {
  /** 0 for none. */
  readonly topicAlias: number;
  readonly aliasKnown: boolean;
}

const none: AliasUse = { topicAlias: 0, aliasKnown: false };

/** The aliases that the broker has set towards one client (MQTT 5.0 §3.3.2.3.4), first come first served. */
export class TopicAliases {
  private readonly aliases = new Map<string, number>();

  /**
   * @param maximum as the client allows, and no more than the operator
   * @param goesInFull told of each topic for which there is none left
   */
  constructor(
    private readonly maximum: number,
    private readonly goesInFull: () => void = () => {},
  ) {}

  assign(topic: string): AliasUse {
    const known = this.aliases.get(topic);
    if (known !== undefined) return { topicAlias: known, aliasKnown: true };
    // [MQTT-3.1.2-26] [MQTT-3.3.2-11]
    if (this.aliases.size >= this.maximum) {
      this.goesInFull();
      return none;
    }
    const topicAlias = this.aliases.size + 1;
    this.aliases.set(topic, topicAlias);
    return { topicAlias, aliasKnown: false };
  }

  /** The packet that would have told the client of an alias was not sent. */
  withdraw(use: AliasUse): void {
    if (use.topicAlias === 0 || use.aliasKnown) return;
    for (const [topic, alias] of this.aliases) if (alias === use.topicAlias) this.aliases.delete(topic);
  }
}
