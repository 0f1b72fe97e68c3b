import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAuthority, signRevocationList } from '@moat/pki';
import type { Case, Setup, World } from './world.js';

const mode =
  (name: string, bits: number): Setup =>
  ({ data }) =>
    chmod(data(name), bits);

const days = (count: number): number => Date.now() + count * 86_400_000;

/** A revocation list for as many days, of which as many have gone. */
const listFor =
  (whole: number, gone: number): Setup =>
  async (world) => {
    const { authority } = await openAuthority(world.data('pki'));
    const [now, nextUpdate] = [new Date(days(-gone)), new Date(days(whole - gone))];
    await writeFile(world.data('pki/ca.crl'), signRevocationList(authority, [], { now, nextUpdate, number: 9 }));
  };

const at =
  (count: number): Setup =>
  (world) =>
    Object.assign(world as { now: Date }, { now: new Date(days(count)) });

async function auditOwnedBy(world: World, bits: number): Promise<void> {
  await mkdir(world.data('audit'), { mode: bits });
}

/** Checks of what lies in the data directory. */
export const fileCases: Readonly<Record<string, Case>> = {
  'files.data_dir_open': {
    weak: mode('.', 0o710),
    says: /moat-data has mode 0710$/,
    well: mode('.', 0o700),
  },
  'files.key_readable': { weak: mode('pki/server.key', 0o640), says: /server\.key has mode 0640$/ },
  'files.passwords_readable': { weak: mode('passwords', 0o604), says: /passwords has mode 0604$/ },
  'files.writable_by_others': {
    weak: mode('pki/ca.crl', 0o664),
    says: /ca\.crl has mode 0664$/,
    well: ({ directory }) => writeFile(join(directory, 'moat.yaml'), '', { mode: 0o644 }),
  },
  'files.admin_password_left': {
    weak: ({ data }) => writeFile(data('admin-password'), 'first\n', { mode: 0o600 }),
    says: /admin-password is still there$/,
  },
  'certificates.unusable': { weak: ({ data }) => rm(data('pki/ca.crl')), says: /cannot read crlfile/ },
  'certificates.server_ends': { weak: at(345), says: /server\.crt: the certificate runs out on/, well: at(343) },
  'certificates.authority_ends': { weak: at(3_564), says: /^authority CN=Moat CA .* runs out on/ },
  'certificates.list_ends': { weak: listFor(30, 25), says: /^revocation list of .* runs out on/, well: listFor(2, 1) },
  'audit.unwritable': {
    weak: (world) => auditOwnedBy(world, 0o500),
    says: /audit cannot be written$/,
    well: (world) => auditOwnedBy(world, 0o700),
  },
};
