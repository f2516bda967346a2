/** How the ledger publishes, and how that goes. */
import type { Log } from '../../protocol/log.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import type { Disk } from '../store/disk.js';
import type { Store } from '../store/store.js';
import type { PublishedHead } from './published-file.js';
import type { WitnessStatus } from './witness-client.js';

export interface PublicationStatus {
  /** Entries readers are shown. */
  readonly size: number;
  /** Who must cosign, in words; `undefined` when nobody. */
  readonly quorum: string | undefined;
  readonly witnesses: readonly WitnessStatus[];
  /** Why what was cosigned cannot be published. */
  readonly failure: string | undefined;
}

export interface Publication {
  /** Throws `witness` when nothing is published. */
  head(): PublishedHead;
  /** To be called after each commit; returns at once. */
  committed(): void;
  status(): PublicationStatus;
  close(): Promise<void>;
}

/** Times in wall ms. */
export interface PublicationTiming {
  /** A witness that did not answer by then has failed. */
  readonly timeoutMs: number;
  /** Pause after a witness failed for the first time; doubled up to a minute. */
  readonly backOffMs: number;
  /** From the end of one round to the next. */
  readonly roundPauseMs: number;
}

export interface PublicationDeps {
  /** The ledger's folder. */
  readonly dir: string;
  /** For tests: what is published is written to another disk. */
  readonly disk?: Disk;
  readonly store: Store;
  readonly verifier: NoteVerifier;
  /**
   * With the quorum none, each commit is published at once and no witness is asked; without one too, in a
   * folder that was never run with another.
   */
  readonly policy?: WitnessPolicy;
  /** Witnesses were asked before: when the file of what was published is gone, nothing is shown until they cosign. */
  readonly wasWitnessed?: boolean;
  /**
   * Keeps `policy` for the starts to come, on disk when it resolves. Called when the policy is found usable
   * and before anything that is published changes; when it rejects, all is as it was.
   */
  readonly keepPolicy?: () => Promise<void>;
  readonly timing?: Partial<PublicationTiming>;
  readonly log: Log;
}
