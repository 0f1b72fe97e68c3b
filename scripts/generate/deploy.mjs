// deploy/: what moat harden generates for the default configuration.

import { defaultInstallation, filesOf, pieces } from '../../packages/cli/dist/harden/pieces.js';

/** Files by their path from the root, as functions that give their text. */
export function deployFiles() {
  const files = filesOf(pieces, defaultInstallation());
  return Object.fromEntries(files.map(({ path, text }) => [`deploy/${path}`, () => text]));
}
