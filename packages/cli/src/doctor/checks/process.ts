import { stat } from 'node:fs/promises';
import { type Check, type Subject, when } from '../check.js';

/** Descriptors that the broker keeps for itself. */
const reserved = 128;

/** Until when a line of Node.js gets security fixes (https://github.com/nodejs/release). */
const supported: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  26: '2029-04-30',
};

/** The broker as a process: the one that runs, or else one started from here. */
export const processChecks: readonly Check[] = [
  {
    code: 'process.root',
    severity: 'high',
    expects: 'the broker does not run as root',
    why: 'a fault in it would be a fault of the whole machine',
    async look({ host, pid, configuration: { data_dir } }) {
      const mend = 'give it a user of its own, which owns the data directory: moat harden systemd prints a unit';
      if (pid !== undefined) {
        const [, uid] = /^Uid:\s+\d+\s+(\d+)/m.exec((await host.read(`/proc/${pid}/status`)) ?? '') ?? [];
        if (uid === undefined) return { unknown: `/proc/${pid}/status tells no user` };
        return when(uid === '0', `the broker (pid ${pid}) runs as root`, mend);
      }
      const owner = await stat(data_dir).catch(() => undefined);
      if (owner === undefined) return { unknown: 'no broker runs, and there is no data directory' };
      return when(owner.uid === 0, `${data_dir} is owned by root, and so is the broker that uses it`, mend);
    },
  },
  {
    code: 'process.descriptors',
    severity: 'high',
    expects: 'there are file descriptors for limits.max_connections',
    why: 'the broker takes fewer clients than it was told to',
    async look(subject) {
      const { limits } = subject.configuration;
      const most = await limitOf(subject, 'Max open files');
      if (most === undefined) return { unknown: 'no limit of open files is told here' };
      return when(
        most < limits.max_connections + reserved,
        `${whoIs(subject)} may open ${most} files, for max_connections ${limits.max_connections}`,
        `LimitNOFILE=${limits.max_connections + reserved} in the unit (ulimit -n), or lower limits.max_connections`,
      );
    },
  },
  {
    code: 'process.core_dumps',
    severity: 'medium',
    expects: 'no core is written when the broker dies',
    why: 'a core holds keys, passwords and messages, and lies where others may read it',
    async look(subject) {
      const most = await limitOf(subject, 'Max core file size');
      if (most === undefined) return { unknown: 'no limit of core files is told here' };
      return when(most > 0, `${whoIs(subject)} may leave a core file`, 'LimitCORE=0 in the unit (ulimit -c 0)');
    },
  },
  {
    code: 'process.allocator',
    severity: 'low',
    expects: 'memory that clients have left behind goes back to the system',
    why: 'what a crowd of clients took stays with the broker, free for its own use alone',
    async look({ host, pid }) {
      if (pid === undefined) return { unknown: 'no broker runs' };
      const maps = await host.read(`/proc/${pid}/maps`);
      if (maps === undefined) return { unknown: `/proc/${pid}/maps is not to be read` };
      return when(
        /\/libc(?:-[\d.]+)?\.so/.test(maps) && !/\/lib(?:jemalloc|tcmalloc|mimalloc)/.test(maps),
        `the broker (pid ${pid}) has the allocator of glibc`,
        'install libjemalloc2, and generate the unit again: moat harden systemd',
      );
    },
  },
  {
    code: 'process.node_version',
    severity: 'high',
    expects: 'Node.js is of a line that gets security fixes',
    why: 'faults of Node.js and OpenSSL that are known stay open',
    look({ host: { nodeVersion }, now }) {
      const major = Number.parseInt(nodeVersion, 10);
      const newest = Math.max(...Object.keys(supported).map(Number));
      const until = supported[major];
      if (major > newest) return { unknown: `Node.js ${nodeVersion} is newer than what is known here` };
      const state = until === undefined ? 'is of a line without long support' : `got its last fixes on ${until}`;
      return when(
        until === undefined || now > new Date(until),
        `Node.js ${nodeVersion} ${state}`,
        'install a line that https://nodejs.org/en/about/previous-releases calls LTS',
      );
    },
  },
];

function whoIs({ pid }: Subject): string {
  return pid === undefined ? 'a broker started from here' : `the broker (pid ${pid})`;
}

/** A soft limit of the process; infinite where it has none. */
async function limitOf({ host, pid }: Subject, name: string): Promise<number | undefined> {
  const text = await host.read(`/proc/${pid ?? 'self'}/limits`);
  const [, soft] = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text ?? '') ?? [];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
