/** Whether a text is like a pattern, in which `*` stands for any characters and `?` for one. Never more than |text| · |pattern| steps. */
export function matchesGlob(pattern: string, text: string): boolean {
  let [at, place] = [0, 0];
  /** Where to go on when what followed the last star did not fit: the star takes one character more. */
  let [star, taken] = [-1, 0];
  while (place < text.length) {
    if (pattern[at] === '*') [star, taken, at] = [at, place, at + 1];
    else if (pattern[at] === '?' || pattern[at] === text[place]) [at, place] = [at + 1, place + 1];
    else if (star >= 0) [at, place, taken] = [star + 1, taken + 1, taken + 1];
    else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
