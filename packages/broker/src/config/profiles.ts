/** One limit: what it bounds, in which unit, between what it may be set, and what each profile sets it to. */
interface Limit {
  readonly description: string;
  readonly unit: string;
  readonly least: number;
  readonly most: number;
  readonly strict: number;
  readonly standard: number;
  readonly off: number;
}

/** Where the protocol itself sets no ceiling. */
const unbounded = Number.MAX_SAFE_INTEGER;

const uint16 = 65_535;
const uint32 = 4_294_967_295;
const hour = 3_600;
const day = 24 * hour;
const KiB = 1_024;
const MiB = 1_024 * KiB;

function limit(
  description: string,
  unit: string,
  [least, most]: readonly [least: number, most: number],
  [strict, standard, off]: readonly [strict: number, standard: number, off: number],
): Limit {
  return { description, unit, least, most, strict, standard, off };
}

/** Every limit that is a number, by its key in the configuration. */
export const limitTable = {
  max_packet_size: limit(
    'largest packet accepted, judged by its declared length before anything is buffered',
    'bytes',
    [128, 268_435_460],
    [64 * KiB, MiB, 268_435_460],
  ),
  max_qos: limit('highest QoS that clients may publish with', 'QoS', [0, 2], [2, 2, 2]),
  receive_maximum: limit(
    'incoming QoS 1 and 2 messages in flight per client, announced to it',
    'messages',
    [1, uint16],
    [100, 1_000, uint16],
  ),
  max_inflight_messages: limit(
    'outgoing QoS 1 and 2 messages in flight to a client that announces no receive maximum',
    'messages',
    [1, uint16],
    [100, 1_000, uint16],
  ),
  max_keepalive: limit(
    'longest keep-alive, imposed on clients of every version that ask for more, or for none',
    'seconds',
    [1, uint16],
    [300, 1_200, uint16],
  ),
  max_session_expiry: limit(
    'longest that a session outlives its connection; 4294967295 is for ever',
    'seconds',
    [0, uint32],
    [day, 7 * day, uint32],
  ),
  max_will_delay: limit('longest will delay', 'seconds', [0, uint32], [hour, 7 * day, uint32]),
  max_wills: limit(
    'wills in all, of those who are connected and those whose will is delayed',
    'wills',
    [0, unbounded],
    [10_000, 100_000, unbounded],
  ),
  max_will_bytes: limit(
    'wills in all: their payloads, topics and properties',
    'bytes',
    [KiB, unbounded],
    [16 * MiB, 64 * MiB, unbounded],
  ),
  max_wills_per_user: limit(
    'wills of one user; all anonymous clients count as one',
    'wills',
    [0, unbounded],
    [100, 10_000, unbounded],
  ),
  max_will_bytes_per_user: limit(
    'wills of one user: their payloads, topics and properties; all anonymous clients count as one',
    'bytes',
    [0, unbounded],
    [256 * KiB, 4 * MiB, unbounded],
  ),
  max_queued_messages: limit('messages waiting in one session', 'messages', [0, unbounded], [1_000, 10_000, unbounded]),
  max_queued_bytes: limit('bytes waiting in one session', 'bytes', [0, unbounded], [MiB, 16 * MiB, unbounded]),
  max_topic_alias: limit('topic aliases that a client may set', 'aliases', [0, uint16], [16, 32, uint16]),
  max_topic_alias_broker: limit(
    'topic aliases that the broker sets towards a client',
    'aliases',
    [0, uint16],
    [16, 32, uint16],
  ),
  max_decision_bytes: limit(
    'decisions of the policy that are kept in all: what they take in memory, about; beyond it all are forgotten, and made anew when they are asked for',
    'bytes',
    [KiB, unbounded],
    [32 * MiB, 256 * MiB, unbounded],
  ),
  max_alias_bytes: limit(
    'topic aliases in all, either way: what they take in memory, about',
    'bytes',
    [KiB, unbounded],
    [16 * MiB, 64 * MiB, unbounded],
  ),
  max_subscriptions: limit('subscriptions of one session', 'subscriptions', [0, unbounded], [100, 1_000, unbounded]),
  max_subscription_bytes: limit(
    'subscriptions in all, connected or not: what they take in memory, about, which is more for long filters of many levels',
    'bytes',
    [KiB, unbounded],
    [128 * MiB, 512 * MiB, unbounded],
  ),
  max_wildcard_subscriptions: limit(
    'subscriptions with wildcards of one session',
    'subscriptions',
    [0, unbounded],
    [20, 200, unbounded],
  ),
  max_shared_subscriptions: limit(
    'shared subscriptions of one session',
    'subscriptions',
    [0, unbounded],
    [20, 200, unbounded],
  ),
  max_publish_rate: limit(
    'messages that one client may publish; above it the client is read no further for a while',
    'messages a second',
    [1, unbounded],
    [200, 5_000, unbounded],
  ),
  max_receive_rate: limit(
    'bytes read from one client; above it the client is read no further for a while',
    'bytes a second',
    [KiB, unbounded],
    [MiB, 16 * MiB, unbounded],
  ),
  max_subscribe_rate: limit(
    'filters that one client may subscribe to or unsubscribe from; above it the client is read no further for a while',
    'filters a second',
    [1, unbounded],
    [10, 100, unbounded],
  ),
  spending_burst: limit('for how long unused rate of one client is saved up', 'seconds', [1, hour], [5, 10, 10]),
  max_pause: limit(
    'longest that a client is not read because of these rates; who would have to wait longer is disconnected',
    'seconds',
    [1, hour],
    [10, 30, hour],
  ),
  max_topic_levels: limit('levels of a topic name or filter', 'levels', [1, 65_536], [16, 64, 65_536]),
  max_topic_length: limit('length of a topic name or filter in UTF-8', 'bytes', [1, uint16], [KiB, 4 * KiB, uint16]),
  max_user_properties: limit('user properties of one packet', 'properties', [0, unbounded], [16, 64, unbounded]),
  max_retained_messages: limit('retained messages in all', 'messages', [0, unbounded], [10_000, 100_000, unbounded]),
  max_retained_bytes: limit('retained bytes in all', 'bytes', [0, unbounded], [32 * MiB, 256 * MiB, unbounded]),
  max_retained_messages_per_user: limit(
    'retained messages of one user; all anonymous clients count as one',
    'messages',
    [0, unbounded],
    [1_000, 20_000, unbounded],
  ),
  max_retained_bytes_per_user: limit(
    'retained bytes of one user; all anonymous clients count as one',
    'bytes',
    [0, unbounded],
    [4 * MiB, 64 * MiB, unbounded],
  ),
  retained_cache_bytes: limit(
    'retained messages kept in memory as well; the others are read from the store when they are wanted',
    'bytes',
    [0, unbounded],
    [8 * MiB, 64 * MiB, 256 * MiB],
  ),
  max_sessions: limit('sessions in all, connected or not', 'sessions', [1, unbounded], [10_000, 100_000, unbounded]),
  max_sessions_per_user: limit(
    'sessions of one user, connected or not; all anonymous clients count as one',
    'sessions',
    [1, unbounded],
    [100, 10_000, unbounded],
  ),
  max_connections: limit('connections in all', 'connections', [1, unbounded], [10_000, 100_000, unbounded]),
  max_connections_per_address: limit(
    'connections from one address',
    'connections',
    [1, unbounded],
    [200, 10_000, unbounded],
  ),
  max_connections_per_subnet: limit(
    'connections from one network, as subnet_prefix_ipv4 and subnet_prefix_ipv6 cut it',
    'connections',
    [1, unbounded],
    [1_000, 20_000, unbounded],
  ),
  subnet_prefix_ipv4: limit('what counts as one network of IPv4', 'bits', [8, 32], [24, 24, 32]),
  subnet_prefix_ipv6: limit('what counts as one network of IPv6', 'bits', [16, 128], [64, 64, 64]),
  connect_rate: limit('new connections in all', 'connections a second', [1, unbounded], [500, 2_000, unbounded]),
  connect_rate_per_address: limit(
    'new connections from one address',
    'connections a second',
    [1, unbounded],
    [20, 200, unbounded],
  ),
  connect_rate_per_subnet: limit(
    'new connections from one network',
    'connections a second',
    [1, unbounded],
    [50, 500, unbounded],
  ),
  connect_burst: limit('for how long unused rate of new connections is saved up', 'seconds', [1, hour], [5, 10, 10]),
  max_anonymous_share: limit(
    'share of max_connections that clients may have which nothing proves; the rest is kept for those that show who they are',
    'percent',
    [0, 100],
    [80, 90, 100],
  ),
  connect_timeout: limit('from an accepted socket to a whole CONNECT packet', 'seconds', [1, hour], [5, 10, hour]),
  handshake_timeout: limit('for the TLS and the WebSocket handshake', 'seconds', [1, hour], [5, 10, hour]),
  proxy_header_timeout: limit('for the header of the PROXY protocol', 'seconds', [1, hour], [2, 5, hour]),
  max_password_checks: limit(
    'passwords checked at once; one core is left to everything else, so that this holds from so many cores and one more',
    'checks',
    [1, 64],
    [1, 2, 64],
  ),
  max_waiting_password_checks: limit(
    'passwords waiting to be checked, served in turn by address',
    'checks',
    [0, unbounded],
    [50, 100, 10_000],
  ),
  certificate_requests_per_minute: limit(
    'certificates that devices may ask for over MQTT, all of them together',
    'requests a minute',
    [1, unbounded],
    [60, 300, unbounded],
  ),
  certificate_requests_per_client: limit(
    'certificates that one device may ask for over MQTT, or all devices behind one address that enrol',
    'requests an hour',
    [1, unbounded],
    [6, 30, unbounded],
  ),
  max_failures_per_address: limit(
    'failed logins from one address, any user name, before it is locked out',
    'failures',
    [1, unbounded],
    [5, 10, unbounded],
  ),
  max_failures_per_pair: limit(
    'failed logins of one user name from one address before the two together are locked out',
    'failures',
    [1, unbounded],
    [3, 5, unbounded],
  ),
  max_failures_per_username: limit(
    'failed logins of one user name from anywhere before further ones have to wait, twice as long each',
    'failures',
    [1, unbounded],
    [10, 20, unbounded],
  ),
  max_login_delay: limit('longest such wait', 'seconds', [0, 60], [5, 5, 5]),
  max_malformed_per_address: limit(
    'malformed packets and failed handshakes from one address before it is locked out',
    'packets',
    [1, unbounded],
    [20, 100, unbounded],
  ),
  failure_window: limit('for how long failures count', 'seconds', [1, day], [600, 600, 600]),
  lockout_time: limit(
    'how long something is locked out at first; twice as long each further time within a day',
    'seconds',
    [1, day],
    [600, 600, 600],
  ),
  max_lockout_time: limit('how long at most', 'seconds', [1, 30 * day], [day, day, day]),
  max_connects_per_clientid: limit(
    'connections of one client ID in a minute; then it is refused for one',
    'connections',
    [1, unbounded],
    [20, 60, unbounded],
  ),
  max_handshakes: limit('TLS handshakes going on at once', 'handshakes', [1, unbounded], [100, 500, unbounded]),
  max_certificate_size: limit(
    'size of a client certificate in DER',
    'bytes',
    [512, 102_400],
    [8 * KiB, 16 * KiB, 102_400],
  ),
  max_loop_delay: limit(
    'how late the event loop may be before connections are refused, publishers paused, and so on',
    'milliseconds',
    [10, unbounded],
    [500, 1_000, unbounded],
  ),
  max_memory_share: limit(
    'share of the memory of the machine, its control group or the JavaScript heap that may be in use before the same happens',
    'percent',
    [1, 100],
    [50, 60, 100],
  ),
  max_buffered_bytes: limit(
    'bytes that may wait for all clients together, in sockets and queues in memory, before the same happens; at one and a half times as many nothing more waits',
    'bytes',
    [KiB, unbounded],
    [256 * MiB, 1_024 * MiB, unbounded],
  ),
  max_unfinished_bytes: limit(
    'bytes kept of packets that are not whole yet, of all clients together; beyond it the one that began first is closed',
    'bytes',
    [64 * KiB, unbounded],
    [64 * MiB, 256 * MiB, unbounded],
  ),
  max_outgoing_buffer: limit(
    'bytes waiting in one socket, above which QoS 0 messages to it are dropped and others wait in its queue',
    'bytes',
    [KiB, unbounded],
    [MiB, 4 * MiB, unbounded],
  ),
  stuck_timeout: limit(
    'how long a full socket may take nothing before it is closed',
    'seconds',
    [1, hour],
    [10, 30, hour],
  ),
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof limitTable;

/** What one client may spend: the clients of a listener, and those who are given a role, may have it otherwise. More is more generous. */
export const clientLimits = [
  'max_packet_size',
  'receive_maximum',
  'max_inflight_messages',
  'max_keepalive',
  'max_session_expiry',
  'max_will_delay',
  'max_wills_per_user',
  'max_will_bytes_per_user',
  'max_queued_messages',
  'max_queued_bytes',
  'max_topic_alias',
  'max_topic_alias_broker',
  'max_subscriptions',
  'max_wildcard_subscriptions',
  'max_shared_subscriptions',
  'max_publish_rate',
  'max_receive_rate',
  'max_subscribe_rate',
  'spending_burst',
  'max_pause',
  'max_topic_levels',
  'max_topic_length',
  'max_user_properties',
  'max_retained_messages_per_user',
  'max_retained_bytes_per_user',
  'max_sessions_per_user',
] as const satisfies readonly LimitName[];

/** What may come from one address or network: a listener may have it otherwise, and then counts by itself. */
export const sourceLimits = [
  'max_connections_per_address',
  'max_connections_per_subnet',
  'connect_rate_per_address',
  'connect_rate_per_subnet',
] as const satisfies readonly LimitName[];

export type ClientLimitName = (typeof clientLimits)[number];

export type OwnLimits = { readonly [Name in ClientLimitName]?: number };

/** Which presets there are: `off` leaves the ceilings of the protocol, and is for tests and measurements. */
export const profileNames = ['strict', 'standard', 'off'] as const;

export type ProfileName = (typeof profileNames)[number];

/** What happens to a message for a full queue. */
export const queueFullRules = ['drop_newest', 'drop_oldest'] as const;

/** The limits in force: a number under every name in {@link limitTable}, in the unit stated there. */
export type Limits = { readonly [Name in LimitName]: number } & {
  readonly queue_full: (typeof queueFullRules)[number];
};

/** The limits of one client, whatever they come from. */
export type ClientLimits = Pick<Limits, ClientLimitName | 'queue_full'>;

/** The limits that a profile sets. */
export function limitsOf(profile: ProfileName): Limits {
  const numbers = Object.fromEntries(Object.entries(limitTable).map(([name, limit]) => [name, limit[profile]]));
  return { ...(numbers as Record<LimitName, number>), queue_full: 'drop_newest' };
}
