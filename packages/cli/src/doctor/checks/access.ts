import { listUsers, loadRules, OperatorError, review, showFinding } from '@moat/broker';
import { type Check, type Outcome, when } from '../check.js';

/** So many users are named; the rest is counted. */
const named = 5;

/** Who comes in, and what may they do. */
export const accessChecks: readonly Check[] = [
  {
    code: 'access.anonymous',
    severity: 'high',
    expects: 'everybody shows who they are',
    why: 'nothing that an anonymous client does can be laid at a door, and none can be shut out',
    look: ({ configuration: { authentication } }) =>
      when(
        authentication.allow_anonymous,
        `clients without credentials are let in${authentication.expose_anonymous ? ', from anywhere' : ''}`,
        'write allow_anonymous: false, and give every client a user name or a certificate',
      ),
  },
  {
    code: 'access.default_allow',
    severity: 'high',
    expects: 'what no rule speaks of is denied',
    why: 'whatever is forgotten in the policy is open to everybody who is let in',
    look: ({ configuration: { authorization } }) =>
      when(
        authorization.default === 'allow',
        'authorization.default is allow',
        'write default: deny, and rules for what is needed: moat audit --denied shows what that would be',
      ),
  },
  {
    code: 'access.unmeant_rules',
    severity: 'medium',
    expects: 'moat policy check has nothing to say',
    why: 'rules that never apply, or that reach into the topics of other devices, are hardly meant',
    look: ({ configuration: { authorization } }) =>
      orUnknown(async () => {
        const found = review(await loadRules(authorization));
        const mend = 'moat policy check shows each with its place';
        return found.slice(0, named).map((finding) => ({ what: showFinding(finding), mend }));
      }),
  },
  {
    code: 'access.old_hashes',
    severity: 'medium',
    expects: 'every password is kept as Argon2id',
    why: 'hashes of other programs are guessed a thousand times faster',
    look: ({ configuration: { authentication } }) =>
      orUnknown(async () => {
        const old = (await listUsers(authentication.password_file)).filter(({ scheme }) => scheme !== 'argon2id');
        if (old.length === 0) return [];
        const some = old.slice(0, named).map(({ username, scheme }) => `${username} (${scheme})`);
        const more = old.length > named ? ` and ${old.length - named} more` : '';
        const mend = authentication.rehash_passwords
          ? 'they are made anew at the next login; give those that never log in a new one with moat passwd'
          : 'write rehash_passwords: true, or set them anew with moat passwd';
        return [{ what: `old hashes: ${some.join(', ')}${more}`, mend }];
      }),
  },
];

/** A file that is not there yet or may not be read is no weakness; mistakes in one end the command, as everywhere. */
async function orUnknown(look: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'config.unreadable') return { unknown: String(error) };
    throw error;
  }
}
