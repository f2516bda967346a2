/** What `npm run bench -- ble` tells its processes, each a node with one Bluetooth radio (ble-node.ts), and is told back. */

/** Seeds and keys in hex. */
export interface NodePlan {
  readonly role: 'tag' | 'gateway';
  /** The emulator's socket. */
  readonly socket: string;
  readonly stack: 'abandonware' | 'stoprocent';
  readonly issuerSeed: string;
  readonly sealingPublicKey: string;
  /** Records in each report, and ms between a tag's sessions, on average. */
  readonly records: number;
  readonly everyMs: number;
}

export type ToNode =
  { readonly kind: 'plan'; readonly plan: NodePlan } | { readonly kind: 'memory' | 'stop' };

export interface TagResult {
  /** From the call that connects to the closed link, ms, of each session that delivered. */
  readonly sessionMs: readonly number[];
  /** The part of it until there is a link. */
  readonly connectMs: readonly number[];
  /** Attempts that broke off and were made again, by their reason. */
  readonly retried: Readonly<Record<string, number>>;
  /** Reports made, and the hashes of those with a receipt. */
  readonly reports: number;
  readonly receipted: readonly string[];
  readonly beaconsHeard: number;
}

export interface GatewayResult {
  /** Hashes of what was handed to the courier. */
  readonly kept: readonly string[];
  readonly sessions: number;
  readonly timedOut: number;
  readonly beaconsHeard: number;
}

export type FromNode =
  | { readonly kind: 'up' }
  /** Resident, bytes. */
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'tag'; readonly result: TagResult }
  | { readonly kind: 'gateway'; readonly result: GatewayResult };
