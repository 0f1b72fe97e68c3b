import type { OwnLimits } from '../config/profiles.js';
import type { Session } from '../session/session.js';
import type { ConnectionContext } from './context.js';
import { ClientRights } from './rights.js';
import { absentSubject } from './subject-of.js';
import { ClientTerms } from './terms.js';

const none: OwnLimits = {};

/** The terms of a session whose client is away: those that it left with, or what has come of them since. */
export function termsAway(context: Pick<ConnectionContext, 'terms' | 'policy'>, session: Session): ClientTerms {
  const { terms, policy } = context;
  const last = session.terms instanceof ClientTerms ? session.terms : undefined;
  if (last?.book === terms) return last;
  const { rights, owner, clientId } = session;
  const subject = rights instanceof ClientRights ? rights.subject : absentSubject(owner, clientId);
  return terms.ofClient(last?.own ?? none, policy, subject);
}
