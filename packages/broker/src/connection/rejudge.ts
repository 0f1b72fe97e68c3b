import { ReasonCode } from '@moat/codec';
import type { Connection } from './connection.js';

/** Removes the subscriptions that are no longer allowed, one at a step; the others stay (invariant 4). */
export function* judgeSubscriptions(connection: Connection): Generator<() => void, number> {
  const { agreement } = connection;
  let lost = 0;
  if (agreement === undefined) return lost;
  const { session, rights } = agreement;
  for (const { filter, qos } of session.subscriptions) {
    yield () => {
      if (connection.state !== 'connected') return;
      const decision = rights.maySubscribe(filter, qos);
      if (decision.allowed || !session.unsubscribe(filter)) return;
      lost++;
      rights.denied('subscribe', filter, decision);
    };
  }
  return lost;
}

/**
 * A policy, or what is trusted, has changed: what an open connection has by the old one and may no longer have ends, step by
 * step.
 */
export function* rejudge(connection: Connection): Generator<() => void> {
  yield () => connection.judgeCertificate(Date.now());
  const { agreement, context } = connection;
  if (agreement === undefined || connection.state !== 'connected') return;
  const { rights, clientId } = agreement;
  yield () => {
    const terms = context.terms.ofClient(connection.listener.limits, context.policy, rights.subject);
    connection.setTerms(terms.keeping(connection.terms));
  };
  yield () => {
    const decision = rights.mayConnect();
    if (decision.allowed) return;
    rights.denied('connect', clientId, decision);
    connection.close(ReasonCode.notAuthorized, 'no longer allowed to connect');
  };
  const lost = yield* judgeSubscriptions(connection);
  if (lost > 0 && context.onLostSubscription === 'disconnect')
    connection.close(ReasonCode.notAuthorized, 'no longer allowed to subscribe');
}
