/** A power of two. Names that fall into the same place displace each other, which costs memory and nothing else. */
const places = 4_096;
/** From this length on a part of a text is a reference to it, which would keep all of it in memory. */
const shortestSlice = 13;
const names: string[] = new Array(places).fill('');

/** The same name by one string, mostly: trees of devices repeat the names of their levels a million times. */
export function sharedName(name: string): string {
  let place = name.length;
  for (let at = Math.max(0, name.length - 8); at < name.length; at++) place = (place * 31 + name.charCodeAt(at)) | 0;
  place &= places - 1;
  const known = names[place];
  if (known === name) return known;
  const own = name.length < shortestSlice ? name : Buffer.from(name).toString();
  names[place] = own;
  return own;
}
