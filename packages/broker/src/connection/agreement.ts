import type { Principal } from '../identity/principal.js';
import type { Session } from '../session/session.js';
import type { ClientRights } from './rights.js';

/** What CONNECT settled for as long as the connection lasts. */
export interface Agreement {
  readonly clientId: string;
  readonly principal: Principal;
  readonly rights: ClientRights;
  readonly session: Session;
  /** Seconds; 0 for none. */
  readonly keepAlive: number;
  /** Wall-clock milliseconds. */
  readonly since: number;
}
