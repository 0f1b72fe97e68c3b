import { type AuthPacket, CodecError, PacketType, ReasonCode } from '@moat/codec';
import type { Credentials } from '../identity/authenticator.js';
import type { AuthenticationExchange, ExchangeOutcome, ExchangeStep } from '../identity/enhanced.js';
import { principalKey } from '../identity/principal.js';
import type { Agreement } from './agreement.js';
import type { Connection } from './connection.js';
import { endWithProof, hasEnded } from './expiry.js';

/** Begins the exchange of a method and takes its first step; the client's AUTH packets bring the next ones. */
export function beginExchange(
  connection: Connection,
  method: string,
  credentials: Credentials,
  data: Uint8Array | undefined,
  outcome: ExchangeOutcome,
): void {
  const installed = connection.context.methods.get(method);
  // [MQTT-4.12.0-1]
  if (installed === undefined) throw new CodecError(ReasonCode.badAuthenticationMethod, 'an unknown method');
  const steps = installed.begin(credentials, connection.agreement?.principal);
  connection.exchange = { method, steps, outcome };
  take(connection, steps, data);
}

/** AUTH while CONNECT awaits its answer. // [MQTT-4.12.0-3] */
export function continueAuthentication(connection: Connection, packet: AuthPacket): void {
  const { exchange } = connection;
  if (exchange === undefined || packet.reasonCode !== ReasonCode.continueAuthentication)
    throw new CodecError(ReasonCode.protocolError, 'an AUTH that nobody asked for');
  if (packet.properties?.authenticationMethod !== exchange.method)
    throw new CodecError(ReasonCode.protocolError, 'another authentication method than in CONNECT', 'MQTT-4.12.0-5');
  take(connection, exchange.steps, packet.properties.authenticationData);
}

/** AUTH on an open connection: the client renews its proof, or goes on renewing it. // [MQTT-4.12.1-1] */
export function authenticateAgain(connection: Connection, packet: AuthPacket): void {
  const { authenticationMethod: method } = connection;
  // [MQTT-4.12.0-6] [MQTT-4.12.0-7]
  if (method === undefined || packet.properties?.authenticationMethod !== method)
    throw new CodecError(ReasonCode.protocolError, 'an AUTH of a method that CONNECT did not have', 'MQTT-4.12.0-7');
  if (packet.reasonCode !== ReasonCode.reAuthenticate) return continueAuthentication(connection, packet);
  const { clientId, principal } = connection.agreement as Agreement;
  const credentials: Credentials = {
    clientId,
    username: principal.username,
    password: undefined,
    certificate: principal.certificate,
    pskIdentity: connection.psk?.identity,
    origin: connection.wire.origin,
    known: true,
    whenLeft: (left) => {
      connection.onLeft = left;
    },
  };
  beginExchange(connection, method, credentials, packet.properties.authenticationData, {
    succeeded(step) {
      // A connection stays with the principal it began as: what it has under way is that one's.
      const verdict = connection.listener.confirm(step.principal, credentials);
      if (!('principal' in verdict) || hasEnded(verdict.principal)) return this.denied('not confirmed');
      if (principalKey(verdict.principal) !== principalKey(principal)) return this.denied('another principal');
      connection.agreement = { ...(connection.agreement as Agreement), principal: verdict.principal };
      endWithProof(connection);
      connection.write(auth(ReasonCode.success, method, step.data));
    },
    denied(reason) {
      connection.auditEvent('auth.failed', reason);
      connection.close(ReasonCode.notAuthorized, 'authentication failed'); // [MQTT-4.12.1-2]
    },
  });
}

/** Runs one step. What arrives before it is done waits unparsed. */
function take(connection: Connection, steps: AuthenticationExchange, data: Uint8Array | undefined): void {
  const step = steps.next(data);
  if (!(step instanceof Promise)) {
    settle(connection, step);
    return;
  }
  connection.hold(true);
  step
    .then(
      (settled) => connection.guarded(() => settle(connection, settled)),
      (error: unknown) => connection.fault(error),
    )
    .finally(() => connection.unhold());
}

function settle(connection: Connection, step: ExchangeStep): void {
  const { exchange } = connection;
  if (connection.state === 'closed' || exchange === undefined) return;
  if ('continueWith' in step) {
    // [MQTT-4.12.0-2]
    connection.write(auth(ReasonCode.continueAuthentication, exchange.method, step.continueWith));
    return;
  }
  connection.exchange = undefined;
  if ('denied' in step)
    exchange.outcome.denied(step.denied); // [MQTT-4.12.0-4]
  else exchange.outcome.succeeded(step);
}

function auth(reasonCode: ReasonCode, authenticationMethod: string, authenticationData: Uint8Array | undefined) {
  return {
    type: PacketType.AUTH,
    reasonCode,
    properties: { authenticationMethod, ...(authenticationData === undefined ? {} : { authenticationData }) },
  };
}
