export type { ConnectionsResult, ConnectPlan, IdlePlan } from './connections.js';
export type { DrainPlan, DrainResult } from './drain.js';
export type { Latency } from './latencies.js';
export { LoadProcess } from './load-process.js';
export type { QoS } from './packets.js';
export type { Plan } from './plan.js';
export type { ClientCertificate, Target } from './target.js';
export type { TrafficPlan, TrafficResult } from './traffic.js';
