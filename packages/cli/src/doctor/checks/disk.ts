import { realpath } from 'node:fs/promises';
import { formatBytes } from '../../output/units.js';
import { type Check, when } from '../check.js';

const leastBytes = 1024 ** 3;
const leastShare = 0.1;

const network = /^(?:nfs4?|cifs|smb3|smbfs|9p|afs|ceph|lustre|fuse\.(?:sshfs|glusterfs|s3fs|rclone))$/;
const volatile = /^(?:tmpfs|ramfs|overlay|aufs)$/;

/** Where the store lies. */
export const diskChecks: readonly Check[] = [
  {
    code: 'disk.space',
    severity: 'high',
    expects: 'a tenth of the disk is free, or a gibibyte at least',
    why: 'while the disk is full nothing is acknowledged that would have to be stored',
    async look({ host, configuration: { data_dir } }) {
      const space = await host.space(data_dir);
      if (space === undefined) return { unknown: `there is no ${data_dir} yet` };
      const { free, total } = space;
      return when(
        free < Math.min(leastBytes, total * leastShare),
        `${formatBytes(free)} of ${formatBytes(total)} are free for ${data_dir}`,
        'make room; moat store compact gives back what the store no longer needs',
      );
    },
  },
  {
    code: 'disk.file_system',
    severity: 'high',
    expects: 'the store is on a disk of this machine',
    why: 'locks and flushed writes of LMDB hold on local disks alone; what lies in memory or in the layer of a container is gone with it',
    async look({ host, configuration: { data_dir, storage } }) {
      if (storage.engine === 'memory') return [];
      const mounts = await host.read('/proc/self/mountinfo');
      const directory = await realpath(data_dir).catch(() => undefined);
      if (mounts === undefined || directory === undefined)
        return { unknown: 'it cannot be told on which file system the data directory is' };
      const type = typeOf(mounts, directory);
      const kind = network.test(type) ? 'over a network' : 'and does not stay';
      return when(
        network.test(type) || volatile.test(type),
        `${data_dir} is on ${type}, ${kind}`,
        'put data_dir on a local disk, or mount a volume there',
      );
    },
  },
];

/** The type of the file system that a path lies on: that of the longest mount point above it (proc(5), mountinfo). */
function typeOf(mountinfo: string, path: string): string {
  let best = { point: '', type: '' };
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    // Blanks in names are written \040.
    const point = (before.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, code) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    const holds = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
    // Of two at one place the later hides the earlier.
    if (point !== '' && holds && point.length >= best.point.length) best = { point, type: after.split(' ')[0] ?? '' };
  }
  return best.type;
}
