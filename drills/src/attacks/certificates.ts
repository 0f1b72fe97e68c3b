import { connectPacket, publish } from '@moat/testkit/packets';
import type { PreparedBroker } from '../broker/broker.js';
import type { Bearer } from '../broker/certificates.js';
import { converse, type SecureProtocol, secureProtocols } from '../converse.js';
import type { Drill, Run } from '../drill.js';
import { mark, newId, Stage } from '../stage.js';

async function run({ broker, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const stage = await Stage.open(broker);
  const all = broker.bearers.flatMap((bearer) => secureProtocols.map((protocol) => ({ bearer, protocol })));
  for (const { bearer, protocol } of all.slice(0, amount.count)) {
    if (signal.aborted) break;
    const known = await nameOf(broker, stage, protocol, bearer);
    report({
      tried: `certificate: ${bearer.kind}, over ${protocol}`,
      happened: known === undefined ? 'refused' : `let in as ${known}`,
      survived: known === bearer.welcomeAs,
    });
  }
  for (const protocol of secureProtocols) {
    const port = portOf(broker, protocol);
    const answer = await converse(protocol, port, {}, `${connectPacket(4, { clientId: 'none' })}c000`).catch(() => '');
    const isIn = isWelcome(answer);
    report({ tried: `no certificate, over ${protocol}`, happened: isIn ? 'let in' : 'refused', survived: !isIn });
  }
  stage.close();
}

/** As whom the bearer may speak; undefined when it is not let in. */
async function nameOf(
  broker: PreparedBroker,
  stage: Stage,
  protocol: SecureProtocol,
  { identity, welcomeAs }: Bearer,
): Promise<string | undefined> {
  const speak = async (topic: string): Promise<string> => {
    const packets = [connectPacket(4, { clientId: newId('bearer') }), publish(4, topic, mark), 'c000'].join('');
    return converse(protocol, portOf(broker, protocol), identity, packets).catch(() => '');
  };
  if (!isWelcome(await speak('secret/x'))) return undefined;
  if (await stage.wasHeard()) return 'victim';
  if (welcomeAs === undefined) return 'somebody';
  await speak(`own/${welcomeAs}/x`);
  return (await stage.wasHeard()) ? welcomeAs : 'somebody else';
}

function portOf({ ports }: PreparedBroker, protocol: SecureProtocol): number {
  return protocol === 'mqtts' ? ports.mqttsCertificate : ports.wssCertificate;
}

function isWelcome(answer: string): boolean {
  return /^2002..00/.test(answer);
}

const amount = { count: 60, seconds: 60 };

export const certificates: Drill = {
  name: 'certificates',
  summary: 'Certificates that must let nobody in, or under no other name, shown on both listeners that require one',
  seenIn: 'Mosquitto 1.5.4, #3042, #1826, #2597; CVE-2021-44532 and its kin',
  unit: 'certificates shown',
  intensity: { small: amount, full: amount },
  cheapPasswords: true,
  neverLockedOut: true,
  notFor: { aedes: 'it takes no user name from a certificate' },
  needs: 'setup',
  run,
};
