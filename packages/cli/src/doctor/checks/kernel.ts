import { type Configuration, isLoopback } from '@moat/broker';
import { type Check, type Outcome, when } from '../check.js';
import { numberIn } from '../host.js';

/** What the broker asks of `listen`, as all of Node.js does. */
const backlog = 511;

const sysctl = 'and for good, moat harden sysctl';

/** What the kernel does with connections before the broker sees them. */
export const kernelChecks: readonly Check[] = [
  {
    code: 'kernel.accept_queue',
    severity: 'medium',
    expects: `net.core.somaxconn and net.ipv4.tcp_max_syn_backlog are at least ${backlog + 1}`,
    why: 'when many clients come back at once the kernel turns some away before the broker sees them',
    async look({ host }) {
      const names = ['net.core.somaxconn', 'net.ipv4.tcp_max_syn_backlog'];
      const values = await Promise.all(names.map((name) => numberIn(host, `/proc/sys/${name.replaceAll('.', '/')}`)));
      if (values.every((value) => value === undefined)) return { unknown: 'the kernel tells no queue lengths here' };
      return names.flatMap((name, index) => {
        const value = values[index];
        if (value === undefined || value > backlog) return [];
        return [{ what: `${name} is ${value}`, mend: `sysctl -w ${name}=4096, ${sysctl}` }];
      });
    },
  },
  {
    code: 'kernel.syn_cookies',
    severity: 'high',
    expects: 'net.ipv4.tcp_syncookies is on',
    why: 'a flood of SYN packets from forged addresses keeps everybody out',
    async look({ host }) {
      const value = await numberIn(host, '/proc/sys/net/ipv4/tcp_syncookies');
      if (value === undefined) return { unknown: 'the kernel does not tell here' };
      return when(value === 0, 'SYN cookies are off', `sysctl -w net.ipv4.tcp_syncookies=1, ${sysctl}`);
    },
  },
  {
    code: 'kernel.conntrack',
    severity: 'medium',
    expects: 'the kernel tracks at least twice limits.max_connections, where it tracks any',
    why: 'a full table drops packets of everybody, those that are connected too',
    async look({ host, configuration: { limits } }) {
      const most = await numberIn(host, '/proc/sys/net/netfilter/nf_conntrack_max');
      const wanted = 2 * limits.max_connections;
      return when(
        most !== undefined && most < wanted,
        `net.netfilter.nf_conntrack_max is ${most}, for max_connections ${limits.max_connections}`,
        `sysctl -w net.netfilter.nf_conntrack_max=${wanted}, ${sysctl}`,
      );
    },
  },
  {
    code: 'kernel.no_firewall',
    severity: 'medium',
    expects: 'a firewall drops what is for no listener, where others reach one',
    why: 'every other service of this machine is as open as the broker, and floods reach it unslowed',
    async look({ host, configuration }): Promise<Outcome> {
      if (!isReached(configuration)) return [];
      const rules = await host.run('nft', ['-j', 'list', 'ruleset']);
      const old = rules === undefined ? await host.run('iptables', ['-S', 'INPUT']) : undefined;
      if (rules === undefined && old === undefined)
        return { unknown: 'neither nft nor iptables tells its rules (run as root, where one is installed)' };
      const closed =
        rules === undefined ? /^-P INPUT DROP|^-A INPUT -j (?:DROP|REJECT)/m.test(old ?? '') : dropsTheRest(rules);
      return when(
        !closed,
        'nothing on this machine drops what nobody has asked for',
        'load the rules that moat harden nftables prints',
      );
    },
  },
];

function isReached({ listeners }: Configuration): boolean {
  return listeners.some(({ bind }) => !isLoopback(bind));
}

interface NftObject {
  readonly chain?: {
    readonly table: string;
    readonly name: string;
    readonly hook?: string;
    readonly policy?: string;
  };
  readonly rule?: { readonly table: string; readonly chain: string; readonly expr: readonly object[] };
}

/** What a rule may hold that drops whatever comes to it. */
const unconditional = ['drop', 'reject', 'counter', 'log', 'limit'];

/** Whether some chain on the way in drops what no rule has accepted, by its policy or a last rule (libnftables-json). */
function dropsTheRest(json: string): boolean {
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly NftObject[] };
  const hooked = nftables.flatMap(({ chain }) => (chain?.hook === 'input' ? [chain] : []));
  const drops = (expr: readonly object[]): boolean =>
    expr.some((each) => 'drop' in each || 'reject' in each) &&
    expr.every((each) => Object.keys(each).every((key) => unconditional.includes(key)));
  return hooked.some(
    ({ table, name, policy }) =>
      policy === 'drop' ||
      nftables.some(({ rule }) => rule?.table === table && rule.chain === name && drops(rule.expr)),
  );
}
