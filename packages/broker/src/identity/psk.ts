import { type Credentials, notMine, type Verdict } from './authenticator.js';

/** Takes the user name from the identity of a pre-shared key; only asked where the operator wants that. */
export const pskAuthenticator = {
  authenticate: ({ pskIdentity }: Credentials): Verdict =>
    pskIdentity === undefined ? notMine : { principal: { username: pskIdentity, method: 'psk' } },
};
