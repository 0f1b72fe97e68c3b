import { parseConfiguration } from '@moat/broker';
import { fail2ban } from './fail2ban.js';
import { haproxy } from './haproxy.js';
import type { GeneratedFile, Installation, Piece } from './installation.js';
import { logrotate } from './logrotate.js';
import { nftables } from './nftables.js';
import { selinux } from './selinux.js';
import { sysctl } from './sysctl.js';
import { systemd } from './systemd.js';

/** All that is generated around the broker, in the order of the help. */
export const pieces: readonly Piece[] = [systemd, nftables, fail2ban, haproxy, selinux, logrotate, sysctl];

/** Where the log of the broker goes unless somebody wants it elsewhere. */
export const defaultLogFile = '/var/log/moat/moat.log';

/** The installation that `deploy/` in the repository is for: all defaults, in the places that Linux has for them. */
export function defaultInstallation(): Installation {
  const file = '/etc/moat/moat.yaml';
  return {
    configuration: parseConfiguration('data_dir: /var/lib/moat\n', file),
    file,
    node: '/usr/bin/node',
    program: '/opt/moat/bin/moat',
    allocator: undefined,
    user: 'moat',
    logFile: defaultLogFile,
    sshPort: 22,
    brokers: ['192.0.2.11', '192.0.2.12'],
  };
}

/** The files of some pieces. */
export function filesOf(some: readonly Piece[], installation: Installation): GeneratedFile[] {
  return some.flatMap((piece) => piece.files(installation));
}
