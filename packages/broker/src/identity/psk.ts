import { type Authenticator, notMine } from './authenticator.js';

/** Takes the user name from the identity of a pre-shared key; only asked where the operator wants that. */
export const pskAuthenticator: Authenticator = {
  authenticate: ({ pskIdentity }) =>
    pskIdentity === undefined ? notMine : { principal: { username: pskIdentity, method: 'psk' } },
};
