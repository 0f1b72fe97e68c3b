import { ReasonCode } from '@moat/codec';
import type { Principal } from '../identity/principal.js';
import type { Connection } from './connection.js';

/** Milliseconds after which a far end is looked at again: the wall clock may be set meanwhile. */
const longest = 3_600_000;

/** Whether what proved the principal has ended. */
export function hasEnded({ expiresAt }: Principal): boolean {
  return expiresAt !== undefined && Date.now() >= expiresAt;
}

/** Ends the connection when what proved its principal ends, unless it was proven anew by then. */
export function endWithProof(connection: Connection): void {
  connection.proofTimer?.cancel();
  const expiresAt = connection.agreement?.principal.expiresAt;
  if (expiresAt === undefined) return;
  const left = Math.max(0, Math.min(expiresAt - Date.now(), longest));
  connection.proofTimer = connection.context.timers.after(left, () => {
    if (!endIfUnproven(connection)) endWithProof(connection);
  });
}

/** Whether the proof has ended, and the connection with it: asked before anything that it sends is acted upon. */
export function endIfUnproven(connection: Connection): boolean {
  const { agreement } = connection;
  if (agreement === undefined || connection.state !== 'connected' || !hasEnded(agreement.principal)) return false;
  connection.auditEvent('auth.revoked', 'expired');
  connection.close(ReasonCode.notAuthorized, 'the proof of identity has expired');
  return true;
}
