/** How a payload is protected: a signature proves its sender, a MAC membership of a group, `none` nothing. */
export const sealKinds = ['none', 'signature', 'mac', 'encrypted'] as const;

export type SealKind = (typeof sealKinds)[number];

/**
 * Says how a payload is protected, having verified that it is. Payload protection implements it; without one nothing is
 * known of any seal, and rules that ask for one refuse.
 */
export interface SealInspector {
  kindOf(topic: string, payload: Uint8Array): SealKind;
}
