import { isHex, isObject, parseDate } from './records.js';

/** The right to get certificates for devices that have none yet. */
export interface Invite {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** One device name, or a pattern with one `*` for the rest of a name. */
  readonly names: string;
  /** How many devices may use it. */
  readonly count: number;
  readonly expires: Date;
  /** How long the certificates are good for, fractions allowed. */
  readonly days: number;
  /** What it is proven by: SHA-256, in hexadecimal, of the secret of a token, or of the DER of a claim certificate. */
  readonly proof: { readonly token: string } | { readonly certificate: string };
}

/** A device has used an invite. */
export interface Spending {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the device's public key, in hexadecimal. */
  readonly key: string;
  readonly at: Date;
}

/** One line of `invites.jsonl`. */
export type InviteRecord =
  | { readonly invite: Invite }
  | { readonly spent: Spending }
  | { readonly withdrawn: { readonly id: string; readonly at: Date } };

/** undefined if the value is no such record. */
export function parseInviteRecord(value: unknown): InviteRecord | undefined {
  if (!isObject<'invite' | 'spent' | 'withdrawn'>(value)) return undefined;
  const invite = parseInvite(value.invite);
  if (invite) return { invite };
  const spent = parseSpending(value.spent);
  if (spent) return { spent };
  if (!isObject<'id' | 'at'>(value.withdrawn)) return undefined;
  const [id, at] = [value.withdrawn.id, parseDate(value.withdrawn.at)];
  return isHex(id) && at ? { withdrawn: { id, at } } : undefined;
}

function parseInvite(value: unknown): Invite | undefined {
  if (!isObject<keyof Invite>(value)) return undefined;
  const { id, names, count, days } = value;
  const [expires, proof] = [parseDate(value.expires), parseProof(value.proof)];
  if (!isHex(id) || typeof names !== 'string' || !Number.isSafeInteger(count) || typeof days !== 'number')
    return undefined;
  return expires && proof && { id, names, count: Number(count), days, expires, proof };
}

function parseProof(value: unknown): Invite['proof'] | undefined {
  if (!isObject<'token' | 'certificate'>(value)) return undefined;
  const { token, certificate } = value;
  if (isHash(token)) return { token };
  return isHash(certificate) ? { certificate } : undefined;
}

/** SHA-256 in hexadecimal: hashes of two lengths cannot be compared. */
function isHash(value: unknown): value is string {
  return isHex(value) && value.length === 64;
}

function parseSpending(value: unknown): Spending | undefined {
  if (!isObject<keyof Spending>(value)) return undefined;
  const { id, name, key } = value;
  const at = parseDate(value.at);
  return isHex(id) && typeof name === 'string' && isHex(key) && at ? { id, name, key, at } : undefined;
}
