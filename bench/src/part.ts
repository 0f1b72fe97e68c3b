import type { Peer } from './peer/peer.js';
import type { Effort, Scenario } from './scenario.js';
import type { Study } from './study.js';

/** A section of the performance page: what is measured in one run, and can be without the other sections. */
export interface Part {
  /** In the marks around it on the page. */
  readonly name: string;
  readonly title: string;
  /** Where the section stands, below docs/reference; a part with a page of its own is measured when it is named. Default: performance.md. */
  readonly page?: string;
  readonly scenarios: readonly Scenario[];
  readonly studies: readonly Study[];
  readonly peers: readonly Peer[];
  /** How it was measured, and what to know to read it. */
  about(effort: Effort): string;
}
