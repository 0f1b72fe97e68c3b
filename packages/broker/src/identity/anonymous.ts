import { type Authenticator, notMine, type Verdict } from './authenticator.js';

const anonymous: Verdict = { principal: { username: undefined, method: 'anonymous' } };

/** Lets in whoever comes, and takes no credential's word for who that is. */
export const anybody: Authenticator = { authenticate: () => anonymous };

/** Lets in whoever shows neither user name nor password. */
export const anonymousAuthenticator: Authenticator = {
  authenticate: ({ username, password }) => (username === undefined && password === undefined ? anonymous : notMine),
};
