import { hit } from '../config/limit-hits.js';
import type { Message } from '../routing/message.js';
import type { Session } from '../session/session.js';
import type { ConnectionContext } from './context.js';
import { ClientRights } from './rights.js';
import { absentSubject } from './subject-of.js';

/** Publishes a will in the name of its session. Judged at CONNECT, and again now: the right may have gone meanwhile. */
export function publishWill(context: ConnectionContext, session: Session, message: Message): void {
  const { topic, qos, retain } = message;
  const { clientId, owner } = session;
  // A client that has not come back since the broker started has the rights of its name, from nowhere.
  const rights = session.rights ?? new ClientRights(context, absentSubject(owner, clientId));
  const decision = rights.mayPublish(topic, qos, retain, message);
  if (!decision.allowed) return rights.denied('publish', topic, decision);
  const shortage = retain ? context.router.retainedShortage(message, session) : undefined;
  if (shortage !== undefined) {
    hit(context.limitHits, shortage);
    context.audit.record('limit.retained', { clientId, topic, reason: `no room for a will: ${shortage}` });
  }
  context.router.publish(message, session);
}
