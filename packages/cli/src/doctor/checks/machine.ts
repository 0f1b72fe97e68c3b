import { formatBytes } from '../../output/units.js';
import { type Check, when } from '../check.js';

/** What a TLS connection takes, in bytes (docs/reference/performance.md). */
const perConnection = 40 * 1024;

/** Memory and time of the machine. */
export const machineChecks: readonly Check[] = [
  {
    code: 'machine.memory',
    severity: 'medium',
    expects: 'there is memory for limits.max_connections',
    why: 'clients are refused or disconnected by overload long before the limit that you count on',
    async look({ host, configuration: { limits } }) {
      const total = kilobytes(await host.read('/proc/meminfo'), 'MemTotal');
      if (total === undefined) return { unknown: 'the kernel does not tell its memory here' };
      const usable = (total * limits.max_memory_share) / 100;
      const wanted = limits.max_connections * perConnection;
      return when(
        usable < wanted,
        `${limits.max_connections} connections take some ${formatBytes(wanted)}, and ${formatBytes(usable)} may be used`,
        `lower limits.max_connections to ${Math.floor(usable / perConnection)}, or add memory`,
      );
    },
  },
  {
    code: 'machine.swap',
    severity: 'low',
    expects: 'no memory is written to a disk',
    why: 'keys and messages outlive the broker there, and a broker that is read back from a disk is late for everybody',
    async look({ host }) {
      const text = await host.read('/proc/swaps');
      if (text === undefined) return { unknown: 'the kernel does not tell here' };
      const used = text.split('\n').flatMap((line) => {
        const [device = ''] = line.split(/\s+/);
        // A zram device is memory.
        return /^\//.test(device) && !/^\/dev\/zram/.test(device) ? [device] : [];
      });
      return when(
        used.length > 0,
        `memory is swapped to ${used.join(', ')}`,
        'MemorySwapMax=0 in the unit, an encrypted swap, or swapoff',
      );
    },
  },
  {
    code: 'machine.clock',
    severity: 'medium',
    expects: 'the clock is kept right',
    why: 'certificates, revocation lists, message expiry and the times of events are judged by it',
    async look({ host }) {
      if ((await host.read('/run/systemd/timesync/synchronized')) !== undefined) return [];
      const answer = (await host.run('timedatectl', ['show', '--property=NTPSynchronized', '--value']))?.trim();
      if (answer === undefined) return { unknown: 'timedatectl does not answer' };
      return when(
        answer !== 'yes',
        'the clock is not synchronized',
        'timedatectl set-ntp true, or install chrony or systemd-timesyncd',
      );
    },
  },
];

/** A line of /proc/meminfo, in bytes. */
function kilobytes(text: string | undefined, name: string): number | undefined {
  const [, number] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text ?? '') ?? [];
  return number === undefined ? undefined : Number(number) * 1024;
}
