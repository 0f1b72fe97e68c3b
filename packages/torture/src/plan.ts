/** Seconds that mean "for ever". */
export const forever = 0xffff_ffff;

/** A topic that a client publishes to. */
interface PlannedTopic {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** What one client does as long as it is tortured. */
export interface ClientPlan {
  readonly id: string;
  readonly version: 4 | 5;
  /** Seconds that its session outlives a connection: 0 a clean session; before 5.0 nothing else but {@link forever}. */
  readonly expiry: number;
  /** Longest stay away between two connections, in milliseconds. */
  readonly absence: number;
  readonly publishes?: readonly PlannedTopic[];
  /** Filters that it has always. */
  readonly keeps?: readonly string[];
  /** Filters that it subscribes to and unsubscribes from. */
  readonly changes?: readonly string[];
  /** Whether it starts anew now and then (clean start), giving up what it had. */
  readonly renews?: true;
  readonly will?: { readonly topic: string; readonly delay: number };
  /** Whether it connects anew at the end, when all is published, to see what is retained. */
  readonly reads?: true;
  /** Whether it publishes what tells all the others that nothing more will come. */
  readonly marks?: true;
}

/** What everybody waits for at the end: it comes behind all else, since a session's messages are sent in order. */
export const endFilter = 'end/#';
export const endTopic = 'end/all';

const plain = (topic: string): PlannedTopic[] => ([1, 2] as const).map((qos) => ({ topic, qos, retain: false }));
const retained = (topic: string, qos: 0 | 1 | 2): PlannedTopic => ({ topic, qos, retain: true });
const short = 400;
const long = 5_000;

/** Who takes part, by the process in which it lives. */
export const workers: readonly (readonly ClientPlan[])[] = [
  [
    { id: 'publisher-4', version: 4, expiry: forever, absence: short, publishes: [...plain('t/1/a'), ...plain('t/2')] },
    { id: 'publisher-5', version: 5, expiry: forever, absence: short, publishes: [...plain('t/1/b'), ...plain('t/3')] },
    { id: 'publisher-clean', version: 5, expiry: 0, absence: short, publishes: plain('t/2') },
    {
      id: 'publisher-retained',
      version: 4,
      expiry: forever,
      absence: short,
      publishes: [retained('r/0', 0), retained('r/1', 1), retained('r/2', 2), retained('r/3', 1)],
    },
    { id: 'will-4', version: 4, expiry: forever, absence: short, will: { topic: 'w/4', delay: 0 } },
    { id: 'will-5', version: 5, expiry: 3_600, absence: short, will: { topic: 'w/5', delay: 0 } },
    { id: 'will-delayed', version: 5, expiry: 3_600, absence: long, will: { topic: 'w/delayed', delay: 1 } },
    { id: 'marker', version: 5, expiry: forever, absence: short, marks: true },
  ],
  [
    { id: 'steady-4', version: 4, expiry: forever, absence: short, keeps: ['t/#', 'w/#'] },
    { id: 'steady-5', version: 5, expiry: forever, absence: short, keeps: ['t/#', 'w/#'] },
    { id: 'away', version: 5, expiry: forever, absence: long, keeps: ['t/#', 'w/#'] },
    { id: 'clean', version: 4, expiry: 0, absence: short, keeps: ['t/#'] },
    { id: 'reader', version: 5, expiry: 0, absence: short, keeps: ['r/#'], reads: true },
  ],
  [
    { id: 'changing-4', version: 4, expiry: forever, absence: short, changes: ['t/1/#', 't/2/#'] },
    { id: 'changing-5', version: 5, expiry: forever, absence: short, changes: ['t/1/#', 't/2/#', 't/3/#'] },
    { id: 'renewing', version: 5, expiry: 3_600, absence: short, keeps: ['t/1/#'], changes: ['t/3/#'], renews: true },
    { id: 'expiring', version: 5, expiry: 1, absence: long, keeps: ['t/1/#'] },
  ],
  [
    { id: 'sharing-4', version: 4, expiry: forever, absence: short, keeps: ['$share/g/t/#'] },
    { id: 'sharing-5', version: 5, expiry: forever, absence: short, keeps: ['$share/g/t/#'] },
    { id: 'sharing-steady', version: 5, expiry: forever, absence: short, keeps: ['$share/h/t/1/#'] },
    { id: 'sharing-changing', version: 5, expiry: forever, absence: short, changes: ['$share/g/t/#'] },
    { id: 'sharing-renewing', version: 5, expiry: 3_600, absence: short, keeps: ['$share/h/t/1/#'], renews: true },
    { id: 'sharing-expiring', version: 5, expiry: 1, absence: long, keeps: ['$share/h/t/1/#'] },
  ],
];
