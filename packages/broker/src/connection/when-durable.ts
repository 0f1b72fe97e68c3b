import { ReasonCode } from '@moat/codec';
import type { Agreement } from './agreement.js';
import type { Connection } from './connection.js';

/**
 * Answers a packet, in turn, when all is durable that the store was told since `before` (invariant 1); `bad` instead when
 * it cannot be.
 */
export function whenDurable(
  connection: Connection,
  before: number,
  good: () => void,
  bad: () => void,
  isPuback = false,
): void {
  const { store } = connection.context;
  const { session } = connection.agreement as Agreement;
  if (store.staged !== before) {
    session.stagedUpTo = store.staged;
    connection.answers.afterCommit(good, bad, isPuback);
  } else if (connection.hasPendingAnswers) connection.answers.inTurn(good, isPuback);
  else good();
}

/**
 * As {@link whenDurable}, for an answer that may be a repetition: the one before went to a connection that was gone, and
 * this one must not leave before what it says is durable either. The client is disconnected when that cannot be.
 */
export function whenSettled(connection: Connection, before: number, good: () => void): void {
  const { store } = connection.context;
  const { session } = connection.agreement as Agreement;
  const bad = (): void => unstored(connection);
  if (store.staged === before && !connection.hasPendingAnswers && session.stagedUpTo > store.durable)
    connection.answers.afterCommit(good, bad);
  else whenDurable(connection, before, good, bad);
}

/** No answer says that a state was not stored: the client is disconnected, and goes on from where it was. */
export function unstored(connection: Connection): void {
  connection.close(ReasonCode.quotaExceeded, 'the state of a message could not be stored');
}
