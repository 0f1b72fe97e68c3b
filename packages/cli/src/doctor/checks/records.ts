import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { shellWord } from '../../output/shell-word.js';
import { type Check, when } from '../check.js';

const shown = ['trace', 'debug', 'info'];

/** Whether it will be known what happened. */
export const recordChecks: readonly Check[] = [
  {
    code: 'audit.off',
    severity: 'medium',
    expects: 'security events are kept',
    why: 'after a break-in nobody can say who did what',
    look: ({ configuration: { audit } }) =>
      when(audit.keep === 'nothing', 'audit.keep is nothing', 'write keep: everything, or keep: problems'),
  },
  {
    code: 'audit.unwritable',
    severity: 'high',
    expects: 'the audit journal can be written by whoever owns the data directory',
    why: 'events are lost, and with when_unwritable: refuse nobody new is let in',
    async look({ configuration: { data_dir } }) {
      const directory = join(data_dir, 'audit');
      const [owner, own] = await Promise.all([data_dir, directory].map((path) => stat(path).catch(() => undefined)));
      if (owner === undefined || own === undefined) return { unknown: `there is no ${directory} yet` };
      const mend = `chown -R ${owner.uid}:${owner.gid} ${shellWord(directory)} && chmod 700 ${shellWord(directory)}`;
      if (owner.uid !== own.uid)
        return [{ what: `${directory} belongs to another user than the data directory`, mend }];
      const usable = await access(directory, constants.W_OK | constants.X_OK).then(
        () => (own.mode & 0o300) === 0o300,
        () => false,
      );
      return when(!usable, `${directory} cannot be written`, mend);
    },
  },
  {
    code: 'log.events_hidden',
    severity: 'low',
    expects: 'the log shows security events',
    why: 'Fail2ban and whoever watches the log see no failed login',
    look: ({ configuration: { log } }) =>
      when(!shown.includes(log.level), `log.level is ${log.level}, and events have level info`, 'write level: info'),
  },
];
