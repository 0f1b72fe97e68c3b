/** The rules that are measured: ten for each subject, nine of which allow and one denies. */
export const rulesEach = 10;

/** One of the rules about a subject, in no engine's own language. */
export interface FleetRule {
  readonly user: string;
  readonly effect: 'allow' | 'deny';
  /** All topics below it are meant. */
  readonly tree: string;
}

export function userNamed(subject: number): string {
  return `device-${subject}`;
}

function siteOf(subject: number): string {
  return `site-${subject % 100}`;
}

/** So many rules about a tenth as many subjects. */
export function fleet(rules: number): FleetRule[] {
  return Array.from({ length: rules }, (_, index) => {
    const subject = Math.floor(index / rulesEach);
    const line = index % rulesEach;
    const user = userNamed(subject);
    const isLast = line === rulesEach - 1;
    const tree = `plant/${siteOf(subject)}/line-${isLast ? 0 : line}/${user}${isLast ? '/secret' : ''}`;
    return { user, effect: isLast ? 'deny' : 'allow', tree };
  });
}

/** The same as a policy of Moat's. */
export function policyText(rules: readonly FleetRule[]): string {
  const lines = rules.map(
    ({ user, effect, tree }) =>
      `- { subject: { username: ${user} }, ${effect}: [publish, subscribe, receive], topics: ${tree}/# }`,
  );
  return ['rules:', '- { allow: connect, clientids: "*" }', ...lines, ''].join('\n');
}

/** Something to decide, and what the answer is. */
export interface Question {
  readonly subject: number;
  readonly topic: string;
  readonly allowed: boolean;
}

/** Questions about as many subjects as there are, of which a fifth is denied; no topic comes twice. */
export function questions(rules: number, count: number): Question[] {
  const subjects = rules / rulesEach;
  return Array.from({ length: count }, (_, index) => {
    const subject = (index * 7_919) % subjects;
    const isSecret = index % 10 === 0;
    const isElsewhere = index % 10 === 5;
    const line = isSecret ? 0 : index % (rulesEach - 1);
    const owner = isElsewhere ? 'somebody-else' : userNamed(subject);
    const tree = `plant/${siteOf(subject)}/line-${line}/${owner}`;
    const topic = isSecret ? `${tree}/secret/${index}` : `${tree}/sensor-${index}`;
    // As a topic comes out of a packet: a string that was put together would refer to its parts.
    return { subject, topic: Buffer.from(topic).toString(), allowed: !isSecret && !isElsewhere };
  });
}
