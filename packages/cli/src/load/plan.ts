import { Connect, type ConnectionsResult, type ConnectPlan, Idle, type IdlePlan } from './connections.js';
import { Drain, type DrainPlan, type DrainResult } from './drain.js';
import { Traffic, type TrafficPlan, type TrafficResult } from './traffic.js';

/** What a load process is to do. */
export type Plan = TrafficPlan | DrainPlan | IdlePlan | ConnectPlan;

/** What it finds out, by the kind of plan. */
export interface Results {
  readonly traffic: TrafficResult;
  readonly drain: DrainResult;
  readonly idle: ConnectionsResult;
  readonly connect: ConnectionsResult;
}

export interface Load {
  /** `amount` is milliseconds for traffic, messages for a drain, connections for the others. */
  run(amount: number): Promise<Results[Plan['kind']]>;
  close(): Promise<void>;
}

export async function openLoad(plan: Plan): Promise<Load> {
  switch (plan.kind) {
    case 'traffic':
      return Traffic.open(plan);
    case 'drain':
      return new Drain(plan);
    case 'idle':
      return new Idle(plan);
    case 'connect':
      return new Connect(plan);
  }
}
