import { run } from '@moat/testkit';
import type { Case, Setup, World } from './world.js';

/** A world in which a file of the kernel says this. */
const says =
  (path: string, text: string): Setup =>
  ({ put }) =>
    put(path, text);

const limits = (files: string, core = '0'): string =>
  `Limit                     Soft Limit           Hard Limit           Units
Max core file size        ${core.padEnd(20)} unlimited            bytes
Max open files            ${files.padEnd(20)} 1048576              files
`;

const mapsOf = (library: string): string =>
  `7f3a00000000-7f3a00026000 r--p 00000000 fe:00 1234 /usr/lib/x86_64-linux-gnu/${library}\n`;

const withNode =
  (nodeVersion: string, date: string): Setup =>
  (world) =>
    Object.assign(world, { host: { nodeVersion }, now: new Date(date) });

/** The rules as the real nft tells them, in a network of their own. */
export const withRules = (rules: string) => async (world: World) => {
  const script = 'printf "%s" "$1" | nft -f - && nft -j list ruleset';
  const { stdout, stderr } = await run('unshare', ['--net', 'sh', '-c', script, 'sh', rules]);
  if (stdout === '') throw new Error(stderr);
  world.host = { run: async (program) => (program === 'nft' ? stdout : undefined) };
};

const mount = (path: string, type: string) => `36 35 98:0 / ${path} rw,noatime shared:1 - ${type} source rw\n`;

const onFileSystem =
  (type: string): Setup =>
  (world) =>
    world.put('/proc/self/mountinfo', `${mount('/', 'ext4')}${mount(world.directory.replaceAll(' ', '\\040'), type)}`);

/** Checks of the machine. */
export const hostCases: Readonly<Record<string, Case>> = {
  'process.root': {
    weak: async (world) => {
      world.pid = 77;
      await world.put('/proc/77/status', 'Name:\tnode\nUid:\t1000\t0\t0\t0\n');
    },
    says: /\(pid 77\) runs as root$/,
    well: async (world) => {
      world.pid = 77;
      await world.put('/proc/77/status', 'Name:\tnode\nUid:\t1000\t1000\t1000\t1000\n');
    },
  },
  'process.descriptors': {
    weak: says('/proc/self/limits', limits('100127')),
    says: /^a broker started from here may open 100127 files, for max_connections 100000$/,
    well: says('/proc/self/limits', limits('100128')),
  },
  'process.core_dumps': {
    weak: says('/proc/self/limits', limits('1024', 'unlimited')),
    says: /core file/,
    well: says('/proc/self/limits', limits('1024')),
  },
  'process.allocator': {
    weak: async (world) => {
      world.pid = 77;
      await world.put('/proc/77/maps', mapsOf('libc.so.6'));
    },
    says: /\(pid 77\) has the allocator of glibc$/,
    well: async (world) => {
      world.pid = 77;
      await world.put('/proc/77/maps', mapsOf('libc.so.6') + mapsOf('libjemalloc.so.2'));
    },
  },
  'process.node_version': {
    weak: withNode('20.20.2', '2026-05-01T00:00:00Z'),
    says: /^Node\.js 20\.20\.2 got its last fixes on 2026-04-30$/,
    well: withNode('20.20.2', '2026-04-29T00:00:00Z'),
  },
  'kernel.accept_queue': {
    weak: async ({ put }) => {
      await put('/proc/sys/net/core/somaxconn', '511\n');
      await put('/proc/sys/net/ipv4/tcp_max_syn_backlog', '512\n');
    },
    says: /^net\.core\.somaxconn is 511$/,
    well: says('/proc/sys/net/core/somaxconn', '512\n'),
  },
  'kernel.syn_cookies': {
    weak: says('/proc/sys/net/ipv4/tcp_syncookies', '0\n'),
    says: /are off$/,
    well: says('/proc/sys/net/ipv4/tcp_syncookies', '1\n'),
  },
  'kernel.conntrack': {
    weak: says('/proc/sys/net/netfilter/nf_conntrack_max', '199999\n'),
    says: /is 199999/,
    well: says('/proc/sys/net/netfilter/nf_conntrack_max', '200000\n'),
  },
  'kernel.no_firewall': {
    weak: withRules('table inet a { chain c { type filter hook input priority 0; tcp dport 23 drop; }; }'),
    says: /nothing on this machine drops/,
    well: withRules(
      'table inet a { chain c { type filter hook input priority 0; tcp dport 22 accept; counter reject; }; }',
    ),
  },
  'machine.memory': {
    weak: says('/proc/meminfo', 'MemTotal:        2048000 kB\n'),
    says: /^100000 connections take some 3\.8 GiB, and 1\.2 GiB may be used$/,
    well: says('/proc/meminfo', 'MemTotal:        8192000 kB\n'),
  },
  'machine.swap': {
    weak: says('/proc/swaps', 'Filename Type Size Used Priority\n/swapfile file 1048572 0 -2\n'),
    says: /to \/swapfile$/,
    well: says('/proc/swaps', 'Filename Type Size Used Priority\n/dev/zram0 partition 1048572 0 100\n'),
  },
  'machine.clock': {
    weak: (world) => {
      world.host = { run: async () => 'no\n' };
    },
    says: /not synchronized$/,
    well: (world) => {
      world.host = { run: async () => 'yes\n' };
    },
  },
  'disk.space': {
    weak: (world) => {
      world.host = { space: async () => ({ free: 1024 ** 3 - 1, total: 100 * 1024 ** 3 }) };
    },
    says: /^1024\.0 MiB of 100\.0 GiB are free/,
    well: (world) => {
      world.host = { space: async () => ({ free: 1024 ** 3, total: 100 * 1024 ** 3 }) };
    },
  },
  'disk.file_system': {
    weak: onFileSystem('nfs4'),
    says: /moat-data is on nfs4, over a network$/,
    well: onFileSystem('xfs'),
  },
};
