import { OperatorError } from '../errors.js';
import { linesOf } from './password-file.js';
import { usernameProblem } from './username.js';

/**
 * Reads users and their passwords in clear, one `user:password` a line; a password may hold colons. A line that begins
 * with `#` is a comment.
 * @param file for messages, in which no password stands
 * @throws OperatorError `passwords.invalid` with the place
 */
export function readUserList(text: string, file: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of linesOf(text).entries()) {
    if (line.startsWith('#')) continue;
    const refuse = (column: number, message: string, hint: string): never => {
      throw new OperatorError('passwords.invalid', message, { place: { file, line: index + 1, column }, hint });
    };
    const colon = line.indexOf(':');
    if (line.trim() === '') refuse(1, 'a blank line', 'remove it, or make it a comment with #');
    if (colon < 0) refuse(1, 'no colon between user name and password', 'write user:password');
    const user = line.slice(0, colon);
    const problem = usernameProblem(user);
    if (problem) refuse(1, `the user name ${JSON.stringify(user)} ${problem}`, 'choose another name');
    if (users.has(user)) refuse(1, `the user ${user} is listed twice`, 'remove one of the two lines');
    if (colon === line.length - 1)
      refuse(colon + 2, `the password of ${user} is empty`, 'give one, or remove the line');
    users.set(user, line.slice(colon + 1));
  }
  return users;
}
