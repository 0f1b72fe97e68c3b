import type { Audit } from '../audit/audit.js';
import type { TrafficCounters } from '../audit/traffic-counters.js';
import type { LimitHits } from '../config/limit-hits.js';
import type { Limits, OwnLimits } from '../config/profiles.js';
import type { Admission } from '../guard/admission.js';
import type { Budget } from '../guard/budget.js';
import type { Buffered } from '../guard/buffered.js';
import type { Unfinished } from '../guard/unfinished.js';
import type { Authenticator, Credentials, Verdict } from '../identity/authenticator.js';
import type { NameTemplate } from '../identity/certificate-name.js';
import type { ClientTrust } from '../identity/client-trust.js';
import type { AuthenticationMethod } from '../identity/enhanced.js';
import type { Principal } from '../identity/principal.js';
import type { PskFile } from '../identity/psk-file.js';
import type { Policy } from '../policy/compile.js';
import type { SealInspector } from '../policy/seal.js';
import type { Shadow } from '../policy/shadow.js';
import type { Router } from '../routing/router.js';
import type { SessionRegistry } from '../session/registry.js';
import type { SessionCounters } from '../session/session-counters.js';
import type { Store } from '../storage/store.js';
import type { FlushQueue } from '../transport/flush-queue.js';
import type { TimerWheel } from '../transport/timer-wheel.js';
import type { CertificateDesk } from './certificate-desk.js';
import type { ClientIdRules } from './client-id-rules.js';
import type { DecisionMemory } from './decision-memory.js';
import type { LoginGuard } from './login-guard.js';
import type { TermsBook } from './terms.js';

/** What every connection is given to work with. Reloading replaces the fields; connections read them anew. */
export interface ConnectionContext {
  limits: Limits;
  /** The limits of each client. */
  terms: TermsBook;
  policy: Policy;
  /** Raised with each new policy, so that what was decided by an old one is forgotten. */
  policyGeneration: number;
  onDeniedPublish: 'acknowledge' | 'disconnect';
  onDeniedSubscribe: 'not_authorized' | 'unspecified';
  /** What becomes of a connection that a new policy takes a subscription from. */
  onLostSubscription: 'remove' | 'disconnect';
  /** Whether retained messages go with the right of who published them. */
  withdrawsRetained: boolean;
  /** Whether reason strings of denials name the rule. */
  namesRules: boolean;
  clientIds: ClientIdRules;
  /** Whether refusals say why in words, to clients that want it. */
  reasonStrings: boolean;
  /** Whether devices may renew their certificate by themselves. */
  certificateRenewal: boolean;
  retainAvailable: boolean;
  /** Undefined: none is given. */
  responseInformation: string | undefined;
  /** Another server to name when this one is full. */
  serverReference: string | undefined;
  /** A second policy that is asked the same questions, and decides nothing. */
  shadow: Shadow | undefined;
  /** Undefined: nothing is known of any seal. */
  readonly sealInspector: SealInspector | undefined;
  methods: ReadonlyMap<string, AuthenticationMethod>;
  readonly registry: SessionRegistry;
  readonly router: Router;
  readonly store: Store;
  readonly flushQueue: FlushQueue;
  readonly timers: TimerWheel;
  readonly counters: TrafficCounters;
  readonly sessionCounters: SessionCounters;
  readonly limitHits: LimitHits;
  readonly audit: Audit;
  /** Issues certificates to devices that ask for them; undefined where no authority is at hand. */
  readonly certificates: CertificateDesk | undefined;
  /** Bytes in one socket above which QoS 0 is dropped while the broker is overloaded; else Infinity. */
  slowReader: number;
  /** Whether it is counted who sends how much: where the broker is overloaded. */
  countsSenders: boolean;
  readonly admission: Admission;
  readonly unfinished: Unfinished;
  readonly buffered: Buffered;
  /** What the topic aliases of all clients take, either way. */
  readonly aliases: Budget;
  readonly decisions: DecisionMemory;
  readonly logins: LoginGuard;
}

/** What differs by listener. */
export interface ListenerPolicy {
  authenticator: Authenticator;
  /** Judges whom an exchange of AUTH packets has proven. */
  confirm: (principal: Principal, credentials: Credentials) => Verdict;
  requireCertificate: boolean;
  /** Limits that its clients have otherwise. */
  limits: OwnLimits;
  /** How the client ID is taken from the certificate; undefined where it is not. */
  clientIdFrom: NameTemplate | undefined;
  /** Which client certificates count; undefined where there are none to count. */
  trust: ClientTrust | undefined;
  /** Pre-shared keys; undefined where none count. */
  psk: PskFile | undefined;
}
