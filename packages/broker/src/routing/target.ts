import type { QoS } from '@moat/codec';
import type { Subscriber, Target } from './subscriber.js';
import type { Subscription } from './subscription.js';

class MergedTarget implements Target {
  own: Target | undefined = this;

  constructor(
    readonly subscriber: Subscriber,
    public qos: QoS,
    public retainAsPublished: boolean,
    public subscriptionIdentifiers: number[] | undefined,
    readonly sharedFilter: string | undefined,
  ) {}

  add(subscription: Subscription): void {
    if (subscription.qos > this.qos) this.qos = subscription.qos;
    this.retainAsPublished ||= subscription.retainAsPublished;
    if (subscription.identifier !== 0) {
      this.subscriptionIdentifiers ??= [];
      this.subscriptionIdentifiers.push(subscription.identifier); // [MQTT-3.3.4-3] [MQTT-3.3.4-4]
    }
  }
}

function targetOf(subscription: Subscription, sharedFilter?: string): MergedTarget {
  return new MergedTarget(
    subscription.subscriber,
    subscription.qos,
    subscription.retainAsPublished,
    subscription.identifier === 0 ? undefined : [subscription.identifier],
    sharedFilter,
  );
}

/** Merges matching subscriptions, in order of first match, one target for each subscriber. */
export function mergeTargets(subscriptions: readonly Subscription[]): Target[] {
  const merged = new Map<Subscriber, MergedTarget>();
  const own = new Map<Subscriber, MergedTarget>();
  for (const subscription of subscriptions) {
    add(merged, subscription);
    if (!subscription.noLocal) add(own, subscription);
  }
  for (const [subscriber, target] of merged) target.own = own.get(subscriber); // [MQTT-3.8.3-3]
  return [...merged.values()];
}

function add(targets: Map<Subscriber, MergedTarget>, subscription: Subscription): void {
  const target = targets.get(subscription.subscriber);
  if (target === undefined) targets.set(subscription.subscriber, targetOf(subscription));
  else target.add(subscription);
}

/** The target of one subscription alone: retained messages are not merged. */
export function singleTarget(subscription: Subscription): Target {
  return targetOf(subscription);
}

/** The target of a shared subscription's member. */
export function sharedTarget(subscription: Subscription): Target {
  return targetOf(subscription, subscription.filter); // [MQTT-3.3.4-5]
}
