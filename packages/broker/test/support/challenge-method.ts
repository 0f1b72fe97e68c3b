import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AuthenticationMethod, ExchangeStep } from '../../dist/index.js';

/** The answer to a challenge: its HMAC under the secret. */
export function answerTo(challenge: Uint8Array, secret: string): Buffer {
  return createHmac('sha256', secret).update(challenge).digest();
}

/**
 * A method of enhanced authentication, small but real: the client names itself, is sent a challenge, and proves that it
 * knows its secret. Names the client in its success data.
 *
 * @param challenges the challenge of each exchange, by its number
 */
export function challengeMethod(
  secrets: Readonly<Record<string, string>>,
  challenges: (exchange: number) => Uint8Array,
  delay: () => Promise<void> = async () => {},
): AuthenticationMethod {
  let exchanges = 0;
  return {
    name: 'CHALLENGE',
    begin() {
      const challenge = challenges(exchanges++);
      let username: string | undefined;
      return {
        async next(data = new Uint8Array(0)): Promise<ExchangeStep> {
          await delay();
          if (username === undefined) {
            username = Buffer.from(data).toString();
            return { continueWith: challenge };
          }
          const secret = secrets[username];
          const wanted = answerTo(challenge, secret ?? '');
          if (secret === undefined || data.length !== wanted.length || !timingSafeEqual(data, wanted))
            return { denied: 'exchange_failed' };
          return { principal: { username, method: 'password' }, data: Buffer.from(`welcome ${username}`) };
        },
      };
    },
  };
}
