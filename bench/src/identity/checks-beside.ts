import { PasswordFile } from '@moat/broker/passwords';
import { passwordFileOf, userName } from './users.js';

/**
 * A process that checks wrong passwords, one after the other and as the broker does it, between `go` and `rest`: what
 * anybody else on the machine notices of these alone.
 */
const users = 10;
const file = PasswordFile.parse(passwordFileOf(users), 'passwords');
let going = false;

async function check(): Promise<void> {
  for (let guess = 0; going; guess++) await file.verify(userName(guess % users), Buffer.from('wrong'));
}

process.on('message', (message: 'go' | 'rest') => {
  going = message === 'go';
  if (going) void check();
});
process.on('disconnect', () => process.exit());
