import type { Command } from 'commander';

/** One command of `moat`. */
export interface TableEntry {
  readonly name: string;
  readonly summary: string;
  /** Loads what gives the command its arguments, options and action. */
  load(): Promise<(command: Command) => void>;
}

/** Every command, in the order of the help. The modules behind them are loaded when they are used. */
export const commandTable: readonly TableEntry[] = [
  {
    name: 'start',
    summary: 'run the broker in the foreground',
    load: async () => (await import('./commands/start.js')).defineStart,
  },
  {
    name: 'init',
    summary: 'make the data directory, certificates, policy and configuration, without starting',
    load: async () => (await import('./commands/init.js')).defineInit,
  },
  {
    name: 'check',
    summary: 'check a configuration and every file that it refers to',
    load: async () => (await import('./commands/check.js')).defineCheck,
  },
  {
    name: 'passwd',
    summary: 'add, change or delete a user in a password file',
    load: async () => (await import('./commands/passwd.js')).definePasswd,
  },
  {
    name: 'device',
    summary: 'give devices certificates',
    load: async () => (await import('./commands/device.js')).defineDevice,
  },
  {
    name: 'pki',
    summary: 'sign revocation lists, and answer questions about certificates',
    load: async () => (await import('./commands/pki.js')).definePki,
  },
  {
    name: 'policy',
    summary: 'check, explain, compare and try policies',
    load: async () => (await import('./commands/policy.js')).definePolicy,
  },
  {
    name: 'pub',
    summary: 'publish messages',
    load: async () => (await import('./commands/pub.js')).definePub,
  },
  {
    name: 'sub',
    summary: 'subscribe and print messages',
    load: async () => (await import('./commands/sub.js')).defineSub,
  },
  {
    name: 'status',
    summary: 'show what a running broker does',
    load: async () => (await import('./commands/status.js')).defineStatus,
  },
  {
    name: 'clients',
    summary: 'list and disconnect the clients of a running broker',
    load: async () => (await import('./commands/clients.js')).defineClients,
  },
  {
    name: 'sessions',
    summary: 'list, show, export and delete the sessions of a running broker',
    load: async () => (await import('./commands/sessions.js')).defineSessions,
  },
  {
    name: 'bans',
    summary: 'say who may not come in, and see who is locked out',
    load: async () => (await import('./commands/bans.js')).defineBans,
  },
  {
    name: 'audit',
    summary: 'show security events, and find out whether they were changed',
    load: async () => (await import('./commands/audit.js')).defineAudit,
  },
  {
    name: 'store',
    summary: 'check, repair and compact what is on disk',
    load: async () => (await import('./commands/store.js')).defineStore,
  },
  {
    name: 'backup',
    summary: 'copy all that a broker needs, while it runs',
    load: async () => (await import('./commands/backup.js')).defineBackup,
  },
  {
    name: 'config',
    summary: 'know the configuration',
    load: async () => (await import('./commands/config.js')).defineConfig,
  },
  {
    name: 'doctor',
    summary: 'say what is weak about this machine and the configuration, and how to mend it',
    load: async () => (await import('./commands/doctor.js')).defineDoctor,
  },
  {
    name: 'harden',
    summary: 'write what the programs around the broker need: units, rules, filters',
    load: async () => (await import('./commands/harden.js')).defineHarden,
  },
  {
    name: 'bench',
    summary: 'measure a broker',
    load: async () => (await import('./commands/bench.js')).defineBench,
  },
  {
    name: 'drill',
    summary: 'attack a broker of this machine, and see whether it survives',
    load: async () => (await import('./commands/drill.js')).defineDrill,
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands in a shell',
    load: async () => (await import('./commands/completion.js')).defineCompletion,
  },
];
