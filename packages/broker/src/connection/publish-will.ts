import { principalOfKey } from '../identity/principal.js';
import type { Message } from '../routing/message.js';
import type { Session } from '../session/session.js';
import type { ConnectionContext } from './context.js';
import { ClientRights } from './rights.js';
import { subjectOf } from './subject-of.js';

/** Publishes a will in the name of its session. Judged at CONNECT, and again now: the right may have gone meanwhile. */
export function publishWill(context: ConnectionContext, session: Session, message: Message): void {
  const { topic, qos, retain } = message;
  const rights = session.rights ?? rightsOfAbsent(context, session);
  const decision = rights.mayPublish(topic, qos, retain, message);
  if (!decision.allowed) return rights.denied('publish', topic, decision);
  if (retain && context.router.retainedShortage(message, session) !== undefined)
    context.audit.record('limit.retained', { clientId: session.clientId, topic, reason: 'no room for a will' });
  context.router.publish(message, session);
}

/** The rights of a client that has not come back since the broker started: those of its name, from nowhere. */
function rightsOfAbsent(context: ConnectionContext, { clientId, owner }: Session): ClientRights {
  const nowhere = { address: '0.0.0.0', listener: '', tls: false };
  return new ClientRights(context, subjectOf(principalOfKey(owner), clientId, nowhere));
}
