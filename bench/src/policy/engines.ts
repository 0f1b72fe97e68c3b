import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { Policy, Subject } from '@moat/broker/policy';
import { ClientRights, type RightsContext } from '@moat/broker/rights';
import { newEnforcer, newModelFromString } from 'casbin';
import { type FleetRule, type Question, userNamed } from './fleet.js';

/** One engine, ready to decide; it answers whether what a question asks is allowed. */
export interface Engine {
  readonly name: string;
  decide(question: Question): boolean;
}

export function subjectOf(subject: number): Subject {
  const username = userNamed(subject);
  return { username, clientId: username, method: 'password', address: '192.0.2.1', listener: 'mqtts:8883', tls: true };
}

const circumstances = { qos: 0, retain: false } as const;
const nothing = { payload: new Uint8Array(0) };

/** Each decision is worked out from the rules; a connected client is bound to its policy once. */
export function uncached(policy: Policy, subjects: number): Engine {
  const bound = Array.from({ length: subjects }, (_, subject) => policy.bind(subjectOf(subject)));
  return {
    name: 'moat',
    decide: ({ subject, topic }) => bound[subject]?.decide('publish', topic, circumstances).allowed ?? false,
  };
}

/** As connections ask it: what was decided of a topic is known. */
export function cached(policy: Policy, subjects: number): Engine {
  const context: RightsContext = {
    policy,
    policyGeneration: 0,
    shadow: undefined,
    sealInspector: undefined,
    decisions: { bytes: 0, keep: () => {} },
    audit: { record: () => {} },
    timers: { now: 0 },
  };
  const rights = Array.from({ length: subjects }, (_, subject) => new ClientRights(context, subjectOf(subject)));
  return {
    name: 'moat, cached',
    decide: ({ subject, topic }) => rights[subject]?.mayPublish(topic, 0, false, nothing).allowed ?? false,
  };
}

const casbinModel = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.sub == p.sub && r.act == p.act && keyMatch(r.obj, p.obj)
`;

export async function casbin(rules: readonly FleetRule[]): Promise<Engine> {
  const enforcer = await newEnforcer(newModelFromString(casbinModel));
  await enforcer.addPolicies(rules.map(({ user, effect, tree }) => [user, `${tree}/*`, 'publish', effect]));
  return { name: 'casbin', decide: ({ subject, topic }) => enforcer.enforceSync(userNamed(subject), topic, 'publish') };
}

/** The policies are parsed once; each decision is a call into WebAssembly. */
export function cedarWasm(rules: readonly FleetRule[]): Engine {
  const text = rules.map(({ user, effect, tree }) => {
    const word = effect === 'allow' ? 'permit' : 'forbid';
    return `${word}(principal == User::"${user}", action == Action::"publish", resource) when { context.topic like "${tree}/*" };`;
  });
  const name = `fleet-${rules.length}`;
  const parsed = cedar.preparsePolicySet(name, { staticPolicies: text.join('\n') });
  if (parsed.type !== 'success') throw new Error(`cedar: ${JSON.stringify(parsed).slice(0, 300)}`);
  return {
    name: 'cedar-wasm',
    decide({ subject, topic }) {
      const answer = cedar.statefulIsAuthorized({
        principal: { type: 'User', id: userNamed(subject) },
        action: { type: 'Action', id: 'publish' },
        resource: { type: 'Broker', id: 'this' },
        context: { topic },
        preparsedPolicySetId: name,
        entities: [],
        validateRequest: false,
      });
      if (answer.type !== 'success') throw new Error(`cedar: ${JSON.stringify(answer).slice(0, 300)}`);
      return answer.response.decision === 'allow';
    },
  };
}
