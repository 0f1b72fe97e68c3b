import { setTimeout as pause } from 'node:timers/promises';
import { RawClient, readPacket } from '@moat/testkit';
import { type ConnectFields, connectPacket, publish, subscribe, type Version } from '@moat/testkit/packets';
import type { PreparedBroker } from '../broker/broker.js';
import type { Drill, Run } from '../drill.js';
import { knock } from '../knock.js';

const secret = Buffer.from('for the victim alone').toString('hex');

async function run({ broker, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const { users } = broker;
  const thieves: Readonly<Record<string, ConnectFields>> = {
    'another user': { username: 'mallory', password: users.mallory },
    'another user with a wrong password': { username: 'mallory', password: 'wrong' },
    'the victim with a wrong password': { username: 'victim', password: 'wrong' },
    'nobody in particular': {},
  };
  const tries = broker.versions.flatMap((version) =>
    Object.entries(thieves).flatMap(([who, fields]) =>
      [true, false].flatMap((cleanStart) =>
        [true, false].map((isAway) => ({ version, who, fields, cleanStart, isAway })),
      ),
    ),
  );
  for (const [index, { version, who, fields, cleanStart, isAway }] of tries.slice(0, amount.count).entries()) {
    if (signal.aborted) return;
    const how = `${cleanStart ? 'with' : 'without'} a clean start`;
    const { isWelcome, harm } = await steal(broker, version, `stolen${index}`, { ...fields, cleanStart }, isAway).catch(
      ({ message }: Error) => ({ isWelcome: false, harm: `the victim is not served: ${message.split('\n')[0]}` }),
    );
    report({
      tried: `${who} takes the client ID of one who is ${isAway ? 'away' : 'connected'}, ${how}, version ${version}`,
      happened: `${isWelcome ? 'let in' : 'refused'}; ${harm ?? 'the session is untouched'}`,
      survived: !isWelcome && harm === undefined,
    });
  }
}

/** Whether the thief is let in, and what became of the victim's session, if anything. */
async function steal(
  { address, users }: PreparedBroker,
  version: Version,
  clientId: string,
  thief: ConnectFields,
  isAway: boolean,
): Promise<{ isWelcome: boolean; harm: string | undefined }> {
  const expiry = version === 5 ? { properties: '110000003c' } : {};
  const owner = { username: 'victim', password: users.victim, clientId, cleanStart: false, ...expiry };
  const enter = async (fields: ConnectFields): Promise<RawClient> => {
    const client = await RawClient.connect(address.port);
    client.send(connectPacket(version, fields));
    return client;
  };
  const victim = await enter(owner);
  await readPacket(victim);
  victim.send(subscribe(version, 1, { [`secret/${clientId}`]: 1 }));
  await readPacket(victim);
  if (isAway) {
    victim.send('e000');
    await victim.rest();
    const speaker = await enter({ ...owner, clientId: `${clientId}s`, cleanStart: true, properties: '' });
    await readPacket(speaker);
    speaker.send(publish(version, `secret/${clientId}`, 'for the victim alone', { qos: 1 }));
    await readPacket(speaker);
    speaker.end();
  }
  const { isWelcome } = await knock(address, version, { ...thief, clientId });
  if (!isAway) {
    victim.send('c000');
    const answer = await readPacket(victim).catch(() => 'nothing');
    victim.end();
    return { isWelcome, harm: answer === 'd000' ? undefined : 'the victim was thrown out' };
  }
  const back = await enter(owner);
  const connack = await readPacket(back).catch(() => '');
  const queued = await hears(back);
  back.end();
  if (!/^20..01/.test(connack)) return { isWelcome, harm: 'the session of the victim is gone' };
  return { isWelcome, harm: queued ? undefined : 'what was queued for the victim is gone' };
}

/** Whether the secret arrives. A broker may answer a PINGREQ before it sends what it has queued, so it is asked again. */
async function hears(client: RawClient): Promise<boolean> {
  for (let asked = 0; asked < 10; asked++) {
    client.send('c000');
    for (let packet = ''; packet !== 'd000'; ) {
      packet = await readPacket(client).catch(() => 'd000');
      if (packet.includes(secret)) return true;
    }
    await pause(50);
  }
  return false;
}

const amount = { count: 32, seconds: 60 };

export const clientIdTheft: Drill = {
  name: 'client-id-theft',
  summary: "Somebody else connects with a client's identifier, to get or end its session",
  seenIn: 'Mosquitto #3551, #3553; Aedes',
  unit: 'thefts',
  intensity: { small: amount, full: amount },
  cheapPasswords: true,
  neverLockedOut: true,
  needs: 'setup',
  run,
};
