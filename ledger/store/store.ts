/**
 * What the ledger needs of a store. One commit is atomic and synced: after `commit` resolves, everything in
 * it survives a crash; when it rejects, nothing is known, and the caller must open the store again before it
 * goes on. Commits are never concurrent, nor is a commit with a lookup. Reads may run at any time and see
 * every commit that resolved.
 */
import type { TreeSize, UnixMs } from '../../protocol/brands.js';
import type { Outcome } from '../../protocol/mqtt/ledger-receipt.js';
import type { TileBytes } from '../../protocol/tlog/tile-edge.js';
import type { FoundPayload } from '../../protocol/tlog/ledger-reader.js';
import type { DayRecord } from './day-record.js';
import type { GatewayRecord } from './gateway-record.js';

/** What the last commit left. */
export interface LogState {
  readonly size: TreeSize;
  readonly root: Uint8Array;
  /** The log's signed checkpoint of the last commit; readers may not be shown it yet. */
  readonly checkpoint: string;
  /** Leaf hash of the last entry; 32 zero bytes before the first (protocol.md §10). */
  readonly previousLeaf: Uint8Array;
  /** No later entry may be appended at an earlier time. */
  readonly lastAppendedMs: UnixMs;
  readonly counters: Counters;
}

/** Counted since the log began; the maps go by entry type and by refusal number. */
export interface Counters {
  readonly batches: number;
  readonly duplicates: number;
  readonly entriesByType: ReadonlyMap<number, number>;
  readonly refusalsByNumber: ReadonlyMap<number, number>;
}

/** How a batch was answered, so that the same batch gets the same receipt for ever. */
export interface BatchRecord {
  readonly writerId: Uint8Array;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly outcomes: readonly Outcome[];
  /** Size and root of the checkpoint in the receipt. */
  readonly size: TreeSize;
  readonly root: Uint8Array;
}

/** Where a payload first came into the log. */
export interface PayloadRecord {
  readonly type: number;
  readonly index: number;
  /** Day whose payloads are pruned together, or KEPT_DAY. */
  readonly day: number;
}

export interface NewEntry {
  readonly entry: Uint8Array;
  readonly type: number;
  readonly payload: Uint8Array;
  readonly payloadSha256: Uint8Array;
  /** Day whose payloads are pruned together, or KEPT_DAY. */
  readonly retentionDay: number;
  /** False when this payload is stored already, under an earlier index. */
  readonly firstOfPayload: boolean;
}

export interface Commit {
  readonly firstIndex: number;
  readonly entries: readonly NewEntry[];
  /**
   * Tiles that changed: the full ones, and the partial ones above level 0 as they stand. That of level 0 is
   * the leaf hashes of entries stored anyway, and would be written anew with every commit.
   */
  readonly tiles: readonly TileBytes[];
  readonly batches: readonly BatchRecord[];
  readonly gateways: readonly GatewayRecord[];
  readonly days: readonly DayRecord[];
  readonly state: LogState;
}

/** What a group commit has to know before it can be worked out: first of its batches, then of what is new in them. */
export interface Lookup {
  readonly batches: readonly { readonly writerId: Uint8Array; readonly seq: number }[];
  readonly payloads: readonly Uint8Array[];
}

export interface Found {
  readonly batches: readonly (BatchRecord | undefined)[];
  /** In the order asked. */
  readonly payloads: readonly (PayloadRecord | undefined)[];
}

export interface Store {
  /** The state after the last commit that resolved. */
  state(): LogState;
  /** All gateways the issuer has spoken of. */
  gateways(): Promise<readonly GatewayRecord[]>;
  /** All days that payloads were stored for or that the issuer has spoken of. */
  days(): Promise<readonly DayRecord[]>;
  lookup(wanted: Lookup): Promise<Found>;
  commit(commit: Commit): Promise<void>;
  /** The first `width` entries of a bundle, in C2SP form. Throws `damaged` when they are not all there. */
  bundle(index: number, width: number): Promise<Uint8Array>;
  /** Hashes of a tile as they stand; empty when the log is too small for it. Throws `damaged`. */
  tile(level: number, index: number): Promise<Uint8Array>;
  payloads(hashes: readonly Uint8Array[]): Promise<readonly FoundPayload[]>;
  /**
   * Removes the payloads of a pruned day from the store's files and resolves with its record, which says so.
   * Harmless to repeat after a crash. May run beside commits, one day at a time. Rejects with the reason of
   * `signal` when that is aborted first, and with `closed` after a failed commit; the record stays as it is then.
   */
  removePayloads(day: number, signal?: AbortSignal): Promise<DayRecord>;
  close(): Promise<void>;
}

/** What a store folder must say it is; anything else is refused as `foreign`. */
export interface StoreIdentity {
  /** First line of every checkpoint (C2SP tlog-checkpoint). */
  readonly origin: string;
  /** The log's Ed25519 public key. */
  readonly logPublicKey: Uint8Array;
}
