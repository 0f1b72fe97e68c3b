import type { Random } from '@moat/testkit';

/** Whom the broker under test knows; `undefined` is nobody in particular. */
export const users = ['ann', 'bob', 'eve'] as const;
export type User = (typeof users)[number] | undefined;

/** Groups of topics, so that a message reaches some of those who listen, and not all. */
const groups = 24;
/** Client IDs that come again, with what is left of their sessions. */
const clients = 100;

/** The right password of everybody. */
export const password = 'sesame';

/**
 * The rights of all, in Mosquitto's format: everybody has `public`, and a user a tree of its own.
 * `witness` is who shows that the broker serves.
 */
export const accessList = [
  'topic readwrite public/#',
  'pattern readwrite public/#',
  'pattern readwrite tree/%u/#',
  'user witness',
  'topic readwrite witness/#',
  '',
].join('\n');

/** Mostly one of the user's own: with another's, it is turned away. */
export function clientId(user: User, random: Random): string {
  return random.chance(3) ? '' : `${random.chance(99) ? user : 'ann'}${random.below(clients)}`;
}

/** Mostly one that the user may use. */
export function topicName(user: User, random: Random): string {
  const group = `g${random.below(groups)}`;
  switch (random.below(12)) {
    case 0:
      return `tree/${user ?? 'ann'}/${group}`;
    case 1:
      if (random.chance(70)) break;
      return random.pick(['$SYS/broker/uptime', '$moat/certificate/request', 'witness/x', '/', 'a'.repeat(300)]);
    case 2:
      return `public/${group}/${'deep/'.repeat(random.below(random.chance(95) ? 60 : 70))}end`;
  }
  return `public/${group}/${random.pick(['a', 'b', 'c/d', ''])}`;
}

export function topicFilter(user: User, random: Random): string {
  const group = `g${random.below(groups)}`;
  switch (random.below(10)) {
    case 0:
      return `tree/${user ?? 'bob'}/#`;
    case 1:
      return random.pick(['#', '+', '$SYS/#', '$SYS/+/uptime', '+/+/+', `$share/n/#`, '/+', 'witness/#']);
    case 2:
      return `$share/${random.pick(['one', 'two'])}/public/${group}/+`;
    case 3:
      return `public/${group}/${'+/'.repeat(random.below(70))}#`;
    case 4:
      return topicName(user, random);
    default:
      return `public/${group}/${random.pick(['#', '+', 'a', 'b', '+/d'])}`;
  }
}
