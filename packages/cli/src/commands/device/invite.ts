import { writeFile } from 'node:fs/promises';
import { DeviceDesk, describeCertificate, newInviteId } from '@moat/pki';
import type { ConfigurationOptions } from '../../local-broker.js';
import { shellWord } from '../../output/shell-word.js';
import { authorityOf, daysOf, type LifeOptions, type PlaceOptions, placeOf } from './authority.js';

interface InviteOptions extends ConfigurationOptions, LifeOptions, PlaceOptions {
  readonly count: number;
  /** Hours. */
  readonly expires: number;
  readonly claim?: true;
  readonly out?: string;
}

export async function inviteDevices(names: string, options: InviteOptions): Promise<void> {
  const { store, configuration } = await authorityOf(options);
  const place = await placeOf(options, configuration);
  const now = new Date();
  const expires = new Date(now.getTime() + options.expires * 3_600_000);
  const terms = { names, count: options.count, expires, days: daysOf(options) };
  const proof = options.claim
    ? await claim(new DeviceDesk(store), terms, now)
    : await token(new DeviceDesk(store), terms);
  const caFingerprint = describeCertificate(store.trusted).fingerprint;
  const invitation = { ...place, ca: store.trusted, caFingerprint, names, expires, ...proof.content };
  const file = options.out ?? `${names.replace('*', 'x')}.invite`;
  await writeFile(file, `${JSON.stringify(invitation, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  const whom = options.count === 1 ? names : `${options.count} devices ${names}`;
  const name = names.includes('*') ? ' --name NAME' : '';
  console.log(`The invite ${proof.id} for ${whom} is in ${file}, good until ${expires.toISOString()}. It is a secret. On the device:

  moat device enroll ${shellWord(file)}${name}`);
}

type Terms = Parameters<DeviceDesk['invites']['withToken']>[0];

async function token({ invites }: DeviceDesk, terms: Terms): Promise<{ id: string; content: object }> {
  const { invite, token } = await invites.withToken(terms);
  return { id: invite.id, content: { token } };
}

/** For a whole series: the same certificate in every device, which proves the invite and nothing else. */
async function claim(
  { store, invites }: DeviceDesk,
  terms: Terms,
  now: Date,
): Promise<{ id: string; content: object }> {
  const id = newInviteId();
  const days = (terms.expires.getTime() - now.getTime()) / 86_400_000;
  const { certificate, privateKey } = await store.issueClaim({ id, days, now });
  await invites.add(id, terms, { certificate: describeCertificate(certificate).fingerprint });
  return { id, content: { cert: certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) } };
}
