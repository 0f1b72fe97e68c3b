import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { check } from '../dist/check/check.js';
import type { ClientEvent } from '../dist/record/event.js';
import { Story } from './story.js';

/** The story of a publisher and a subscriber that is told in most tests. */
function subscribed(): Story {
  const story = new Story().client('p').client('s').brokerIs('ready').connects('p').connects('s');
  return story.subscribes('s', 't/#');
}

const rules = (story: Story): string[] => check(story.end()).map(({ rule }) => rule);

function finds(title: string, expected: readonly string[], tell: () => Story): void {
  it(title, () => assert.deepEqual(rules(tell()), expected));
}

const qos2 = { qos: 2 } as const;
const gone: ClientEvent = { e: 'gone' };

describe('Of deliveries the checker', () => {
  finds('accepts what arrived in order, and what came again of QoS 1', [], () =>
    subscribed().publishes('p', 1).publishes('p', 2).gets('s', 'p', 1).gets('s', 'p', 2).gets('s', 'p', 1),
  );
  finds('finds an acknowledged message that is missing', ['missing'], () =>
    subscribed().publishes('p', 1).publishes('p', 2).gets('s', 'p', 2),
  );
  finds('accepts that one is missing that was never acknowledged', [], () =>
    subscribed().sends('p', 1).publishes('p', 2).gets('s', 'p', 2),
  );
  finds('finds a QoS 2 message that came twice', ['QoS 2 once', 'QoS 2 once'], () =>
    subscribed().publishes('p', 1, qos2).gets('s', 'p', 1, qos2).connects('s', {}, true).gets('s', 'p', 1, qos2),
  );
  finds('finds messages in another order than they were sent in', ['order'], () =>
    subscribed().publishes('p', 1).publishes('p', 2).gets('s', 'p', 2).gets('s', 'p', 1),
  );
  finds('accepts one behind others that was sent again when there was a subscription', [], () =>
    subscribed()
      .client('late')
      .connects('late')
      .sends('p', 1)
      .subscribes('late', 't/#')
      .sends('p', 2)
      .gets('s', 'p', 1)
      .gets('s', 'p', 2)
      .gets('late', 'p', 2)
      .gets('late', 'p', 1)
      .happens('p', { e: 'done', n: 1 }, { e: 'done', n: 2 }),
  );
  finds('accepts one behind others that were for the session before', [], () =>
    subscribed()
      .sends('p', 1)
      .sends('p', 2)
      .gets('s', 'p', 2)
      .connects('s', { clean: true })
      .subscribes('s', 't/#')
      .gets('s', 'p', 1)
      .gets('s', 'p', 2)
      .happens('p', { e: 'done', n: 1 }, { e: 'done', n: 2 }),
  );
  finds('accepts one behind others that was sent when the session had expired', [], () =>
    subscribed()
      .client('e', { expiry: 1 })
      .connects('e')
      .subscribes('e', 't/#')
      .happens('e', gone)
      .later(5_000)
      .sends('p', 1)
      .connects('e')
      .subscribes('e', 't/#')
      .sends('p', 2)
      .gets('s', 'p', 1)
      .gets('s', 'p', 2)
      .gets('e', 'p', 2)
      .gets('e', 'p', 1)
      .happens('p', { e: 'done', n: 1 }, { e: 'done', n: 2 }),
  );
  finds('accepts another order among QoS 1 and QoS 2', [], () =>
    subscribed().publishes('p', 1, qos2).publishes('p', 2).gets('s', 'p', 2).gets('s', 'p', 1, qos2),
  );
  finds('finds a message that nobody sent', ['foreign'], () => subscribed().gets('s', 'p', 1));
  finds('finds a message on another topic than it was sent to', ['foreign', 'missing'], () =>
    subscribed().publishes('p', 1, { topic: 't/b' }).gets('s', 'p', 1).publishes('p', 2),
  );
  finds('finds a message that came of no subscription', ['unsubscribed'], () =>
    subscribed()
      .happens('s', { e: 'unsubscribing', filter: 't/#' }, { e: 'unsubscribed', filter: 't/#' })
      .publishes('p', 1)
      .gets('s', 'p', 1),
  );
  finds('accepts either while an UNSUBSCRIBE is not answered', [], () =>
    subscribed()
      .happens('s', { e: 'unsubscribing', filter: 't/#' })
      .publishes('p', 1)
      .publishes('p', 2)
      .gets('s', 'p', 2),
  );
  finds('accepts either while a SUBSCRIBE is not answered', [], () =>
    subscribed()
      .client('late')
      .connects('late')
      .happens('late', { e: 'subscribing', filter: 't/#' })
      .publishes('p', 1)
      .gets('s', 'p', 1),
  );
  finds('expects nothing of a session that was given up, and all of the one behind it', ['missing'], () =>
    subscribed()
      .publishes('p', 1)
      .connects('s', { clean: true })
      .subscribes('s', 't/#')
      .publishes('p', 2)
      .publishes('p', 3)
      .gets('s', 'p', 3),
  );
  finds('takes clean sessions for one receiver each', [], () =>
    new Story()
      .client('p')
      .client('c', { expiry: 0 })
      .brokerIs('ready')
      .connects('p')
      .connects('c', { clean: true })
      .subscribes('c', 't/#')
      .sends('p', 1, qos2)
      .gets('c', 'p', 1, qos2)
      .happens('c', gone)
      .connects('c', { clean: true })
      .subscribes('c', 't/#')
      .gets('c', 'p', 1, qos2)
      .happens('p', { e: 'done', n: 1 }),
  );
  finds('finds what was refused', ['refused'], () =>
    subscribed().happens('p', { e: 'refused', packet: 'PUBLISH 1', code: 0x97 }),
  );
});

describe('Of shared subscriptions the checker', () => {
  const shared = (): Story => {
    const story = new Story().client('p').client('a').client('b').brokerIs('ready').connects('p');
    for (const id of ['a', 'b']) story.connects(id).subscribes(id, '$share/g/t/#');
    return story;
  };
  finds('accepts a message that one member got', [], () =>
    shared().publishes('p', 1, qos2).publishes('p', 2, qos2).gets('a', 'p', 1, qos2).gets('b', 'p', 2, qos2),
  );
  finds('finds one that no member got, though any of them should have', ['missing', 'missing'], () =>
    shared().publishes('p', 1).publishes('p', 2).gets('a', 'p', 2),
  );
  finds('accepts that one of QoS 2 ends with the session of a member that it was sent to', [], () =>
    shared().client('c', { expiry: 1 }).connects('c').subscribes('c', '$share/g/t/#').publishes('p', 1, qos2),
  );
  finds('finds one of QoS 2 that two members got', ['QoS 2 once'], () =>
    shared().publishes('p', 1, qos2).gets('a', 'p', 1, qos2).gets('b', 'p', 1, qos2),
  );
  const late = (filter: string): Story =>
    shared().publishes('p', 1).client('late').connects('late').subscribes('late', filter).gets('late', 'p', 1);
  finds(
    'accepts one that a member got which subscribed when it had been sent, since it had waited for another',
    [],
    () => late('$share/g/t/#'),
  );
  finds('finds one that came to another group, or to no group', ['unsubscribed', 'missing', 'missing'], () =>
    late('$share/h/t/#'),
  );
  finds('finds one that came to a member that had not subscribed yet', ['unsubscribed'], () =>
    shared().client('late').connects('late').publishes('p', 1).gets('late', 'p', 1).subscribes('late', '$share/g/t/#'),
  );
  finds('finds one of a group that had no member when it was sent', ['unsubscribed'], () =>
    new Story()
      .client('p')
      .client('late')
      .brokerIs('ready')
      .connects('p')
      .connects('late')
      .publishes('p', 1)
      .subscribes('late', '$share/g/t/#')
      .gets('late', 'p', 1),
  );
});

describe('Of sessions the checker', () => {
  const expiring = (): Story =>
    new Story().client('e', { expiry: 1 }).brokerIs('ready').connects('e').happens('e', gone);
  finds('finds one that is gone though it never expires', ['session'], () =>
    subscribed().happens('s', gone).connects('s'),
  );
  finds('finds one that is gone before its time', ['session'], () => expiring().later(500).connects('e'));
  finds('finds one that is there behind its time', ['session'], () => expiring().later(5_000).connects('e', {}, true));
  finds('accepts either about its time', [], () => expiring().later(1_000).connects('e', {}, true));
  finds('accepts one whose time begins anew because the broker was killed', [], () =>
    expiring().brokerIs('killed').later(5_000).brokerIs('ready').connects('e', {}, true),
  );
  finds('finds one that is there behind a clean start', ['session'], () =>
    subscribed().happens('s', gone).connects('s', { clean: true }, true),
  );
});

describe('Of retained messages the checker', () => {
  const retain = { topic: 'r/1', retain: true } as const;
  const reading = (story: Story): Story =>
    story.client('reader', { expiry: 0, reads: true }).connects('reader', { clean: true }).subscribes('reader', 'r/#');
  const published = (): Story => new Story().client('p').brokerIs('ready').connects('p').publishes('p', 1, retain);
  finds('accepts the last that was acknowledged', [], () =>
    reading(published().publishes('p', 2, retain)).gets('reader', 'p', 2, retain),
  );
  finds('accepts one that was sent later', [], () =>
    reading(published().sends('p', 2, retain)).gets('reader', 'p', 2, retain),
  );
  finds('finds one from before', ['retained'], () =>
    reading(published().publishes('p', 2, retain)).gets('reader', 'p', 1, retain),
  );
  finds('finds one that is missing', ['retained'], () => reading(published()));
  finds('finds one that was removed', ['retained'], () =>
    reading(published().publishes('p', 2, { ...retain, empty: true })).gets('reader', 'p', 1, retain),
  );
  finds('accepts none where it was removed', [], () =>
    reading(published().publishes('p', 2, { ...retain, empty: true })),
  );
});

describe('Of wills the checker', () => {
  const watched = (delay: number): Story => {
    const story = new Story()
      .client('s')
      .client('w', { will: { topic: 'w/1', delay } })
      .brokerIs('ready');
    return story
      .connects('s')
      .subscribes('s', 'w/#')
      .connects('w', { will: { n: 1, topic: 'w/1', delay } });
  };
  const seen = (story: Story): Story => story.gets('s', 'w', 1, { topic: 'w/1', qos: 2 });
  const again = (story: Story): Story => story.connects('w', { will: { n: 2, topic: 'w/1', delay: 0 } }, true);
  const leaving: ClientEvent = { e: 'leaving' };

  finds('accepts one of a connection that was lost', [], () => seen(watched(0).happens('w', gone)));
  finds('finds one that is missing', ['will'], () => watched(0).happens('w', gone));
  finds('finds one that came twice', ['QoS 2 once', 'QoS 2 once', 'will once'], () =>
    seen(seen(watched(0).happens('w', gone))),
  );
  finds('finds one behind a goodbye', ['will'], () => seen(watched(0).happens('w', leaving, gone).later(5_000)));
  finds('accepts one behind a goodbye that a killed broker may not have heard', [], () =>
    seen(watched(0).happens('w', leaving, gone).brokerIs('killed').later(500).brokerIs('ready')),
  );
  finds('finds one of a client that was back before its delay was over', ['will'], () =>
    seen(again(watched(5).happens('w', gone)).later(9_000)),
  );
  finds('finds that one is missing whose delay was over', ['will'], () =>
    again(watched(1).happens('w', gone).later(5_000)).brokerIs('killed'),
  );
  finds('finds that one is missing when another connection took over', ['will'], () => again(watched(0)));
});
