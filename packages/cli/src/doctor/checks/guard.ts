import { type Check, when } from '../check.js';
import { isVeryWide } from './listeners.js';

/** Whether floods and guessing meet anything. */
export const guardChecks: readonly Check[] = [
  {
    code: 'guard.profile_off',
    severity: 'high',
    expects: 'limits have the profile standard or strict',
    why: 'one client takes all memory, and guessing goes on for ever',
    look: ({ configuration: { limits } }) =>
      when(
        limits.profile === 'off',
        'limits.profile is off: there are no limits but those of the protocol',
        'write profile: standard, and raise single limits where that is too little',
      ),
  },
  {
    code: 'guard.allow_wide',
    severity: 'medium',
    expects: 'guard.allow names networks of your own',
    why: 'nobody in it is ever locked out',
    look({ configuration: { guard } }) {
      const wide = guard.allow.filter(isVeryWide);
      return when(wide.length > 0, `guard.allow holds ${wide.join(', ')}`, 'list networks of your own alone');
    },
  },
];
