/** Control characters, and those that turn the direction of writing: a terminal would obey them. */
const dangerous = /[\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;

/** Writes every control character as `\u001b`, so that text from elsewhere cannot command the terminal. */
export function escapeControls(text: string): string {
  return text.replace(dangerous, escapeOne);
}

/** The same, but leaves line ends and tabs as they are. */
export function escapeControlsInLines(text: string): string {
  return text.replace(dangerous, (character) => (/[\n\t]/.test(character) ? character : escapeOne(character)));
}

function escapeOne(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
