/*
 * SASLprep (RFC 4013) as far as Node's own tables go: mapping, NFKC and what is forbidden. Unassigned code points are
 * refused by Unicode's present tables instead of those of Unicode 3.2, and mixed writing directions are not judged.
 */

const nonAsciiSpace = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu;
const mappedToNothing = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;
const forbidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\ufffd]/u;

/** The form in which two spellings of a name or password are one; undefined when it holds what is forbidden. */
export function saslPrep(text: string): string | undefined {
  const prepared = text.replace(nonAsciiSpace, ' ').replace(mappedToNothing, '').normalize('NFKC');
  return forbidden.test(prepared) ? undefined : prepared;
}
