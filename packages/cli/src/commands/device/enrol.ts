import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { enrol, loadInvitation } from '@moat/client';
import {
  assertDeviceName,
  describeCertificate,
  generatePrivateKey,
  prepareBundleDirectory,
  writeDeviceBundle,
} from '@moat/pki';
import { asCommandErrors } from '../../connection/open-client.js';
import { CommandError } from '../../failure.js';

interface EnrolOptions {
  readonly name?: string;
  readonly out?: string;
}

/**
 * Nothing is in the device's folder before everything is: until then the key is in one beside it, where whoever was
 * interrupted finds it again, and asks with the same one.
 */
export async function enrolDevice(file: string, options: EnrolOptions): Promise<void> {
  await asCommandErrors(async () => {
    const invitation = await loadInvitation(file);
    const { names, host, port } = invitation;
    const name = options.name ?? names;
    if (name.includes('*'))
      throw new CommandError(2, `the invite is for ${names}`, { hint: 'say which device this is: --name NAME' });
    assertDeviceName(name);
    const directory = resolve(options.out ?? name);
    await prepareBundleDirectory(directory);
    const workshop = `${directory}.enrolling`;
    const privateKey = await keyIn(workshop);
    const { certificate, ca } = await enrol(invitation, name, privateKey);
    const bundle = join(workshop, 'bundle');
    await rm(bundle, { recursive: true, force: true });
    await writeDeviceBundle(bundle, { certificate, privateKey, name, caCertificate: ca, host, port });
    await rename(bundle, directory);
    await rm(workshop, { recursive: true });
    const until = describeCertificate(certificate).notAfter.toISOString();
    console.log(`${name} has a certificate until ${until}, in ${options.out ?? name}/`);
  });
}

async function keyIn(workshop: string): Promise<KeyObject> {
  const file = join(workshop, 'enrolling.key');
  await mkdir(workshop, { recursive: true, mode: 0o700 });
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined) return createPrivateKey(kept);
  const key = await generatePrivateKey();
  // Whole or not at all: half a key would be in the way of the next attempt.
  await writeFile(`${file}.draft`, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true });
  await rename(`${file}.draft`, file);
  return key;
}
