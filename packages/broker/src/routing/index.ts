/** Routing by itself, for measurements and for other front ends: who is subscribed to what. */
export type { Subscriber } from './subscriber.js';
export type { Place, SubscriptionOptions } from './subscription.js';
export { SubscriptionTree } from './subscription-tree.js';
