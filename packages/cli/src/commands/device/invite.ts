import { open, rm } from 'node:fs/promises';
import { DeviceDesk, describeCertificate, newInviteId } from '@moat/pki';
import { CommandError } from '../../failure.js';
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
  const file = options.out ?? `${names.replace('*', 'x')}.invite`;
  // First: an invite whose file cannot be written would stay open, though nobody holds its secret.
  const written = await open(file, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const hint = cause.code === 'EEXIST' ? 'remove it, or choose another with --out' : undefined;
    throw new CommandError(1, `cannot write the invite: ${cause.message}`, { hint, cause });
  });
  let proof: Proof;
  try {
    const desk = new DeviceDesk(store);
    proof = options.claim ? await claim(desk, terms, now) : await token(desk, terms);
    const caFingerprint = describeCertificate(store.trusted).fingerprint;
    const invitation = { ...place, ca: store.trusted, caFingerprint, names, expires, ...proof.content };
    await written.writeFile(`${JSON.stringify(invitation, undefined, 2)}\n`);
  } catch (error) {
    await rm(file);
    throw error;
  } finally {
    await written.close();
  }
  const whom = options.count === 1 ? names : `${options.count} devices ${names}`;
  const name = names.includes('*') ? ' --name NAME' : '';
  console.log(`The invite ${proof.id} for ${whom} is in ${file}, good until ${expires.toISOString()}. It is a secret. On the device:

  moat device enroll ${shellWord(file)}${name}`);
}

type Terms = Parameters<DeviceDesk['invites']['withToken']>[0];

interface Proof {
  readonly id: string;
  readonly content: object;
}

async function token({ invites }: DeviceDesk, terms: Terms): Promise<Proof> {
  const { invite, token } = await invites.withToken(terms);
  return { id: invite.id, content: { token } };
}

/** For a whole series: the same certificate in every device, which proves the invite and nothing else. */
async function claim({ store, invites }: DeviceDesk, terms: Terms, now: Date): Promise<Proof> {
  const id = newInviteId();
  const days = (terms.expires.getTime() - now.getTime()) / 86_400_000;
  const { certificate, privateKey } = await store.issueClaim({ id, days, now });
  await invites.add(id, terms, { certificate: describeCertificate(certificate).fingerprint });
  return { id, content: { cert: certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) } };
}
