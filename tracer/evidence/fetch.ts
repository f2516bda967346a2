/** Entries with their inclusion proofs, for an evidence bundle: plan, one read, compute (protocol/tlog/merkle.ts). */
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import {
  bytesOf,
  isPruned,
  type FoundPayload,
  type LedgerReader,
} from '../../protocol/tlog/ledger-reader.js';
import { computeProof, planInclusion } from '../../protocol/tlog/merkle.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../../protocol/tlog/tile.js';
import { tileHashReader } from '../../protocol/tlog/tile-hash-reader.js';
import { AskerError } from '../asker-error.js';
import { eachRead } from '../each-read.js';
import { payloadsOf, PAYLOADS_AT_ONCE } from '../follow/payloads.js';
import type { LoggedEntry } from '../follow/payloads.js';

/** As this one, but that nothing more is read once the signal aborted: each read throws the reason then. */
export function readerUntil(signal: AbortSignal | undefined, reader: LedgerReader): LedgerReader {
  return eachRead(reader, async (read) => {
    signal?.throwIfAborted();
    return read();
  });
}

export interface ProvenEntry {
  readonly index: number;
  readonly entry: Uint8Array;
  /** RFC 6962 audit path, leaf's sibling first. */
  readonly proof: readonly Uint8Array[];
}

/**
 * The entries with these indexes, in order, each with its path to the root of the checkpoint. They are as good as the reader:
 * whoever uses them checks them. Throws `proof` for an index the checkpoint does not cover, and what the reader throws.
 */
export async function provenEntries(
  reader: LedgerReader,
  { size }: Checkpoint,
  indexes: readonly number[],
): Promise<ProvenEntry[]> {
  const plans = indexes.map((index) => planInclusion(index, size));
  const coordinates = plans.flatMap((plan) => plan.coordinates);
  const hashes = coordinates.length === 0 ? [] : await tileHashReader(reader, size)(coordinates);
  const bundles = await bundlesOf(reader, size, indexes);
  let at = 0;
  return indexes.map((index, place) => {
    const plan = plans[place] ?? planInclusion(index, size);
    const proof = computeProof(plan, hashes.slice(at, (at += plan.coordinates.length)));
    return { index, entry: bundles.get(bundleWith(index))?.[index % TILE_WIDTH] ?? new Uint8Array(), proof };
  });
}

const bundleWith = (index: number): number => Math.floor(index / TILE_WIDTH);

async function bundlesOf(reader: LedgerReader, size: number, indexes: readonly number[]) {
  const bundles = new Map<number, Uint8Array[]>();
  for (const bundle of new Set(indexes.map(bundleWith))) {
    const width = tileWidthAt(0, bundle, size);
    bundles.set(bundle, entriesOf(await reader.entryBundle(bundle, width), width));
  }
  return bundles;
}

/** Their payloads, in order. Throws `not-found` for one that is gone, naming the entry, and what the reader throws. */
export async function payloadsNamed(
  reader: LedgerReader,
  proven: readonly ProvenEntry[],
): Promise<Uint8Array[]> {
  const entries: LoggedEntry[] = proven.map(({ index, entry }) => ({ ...decodeEntry(entry), index }));
  const payloads: Uint8Array[] = [];
  for (let first = 0; first < entries.length; first += PAYLOADS_AT_ONCE) {
    const page = entries.slice(first, first + PAYLOADS_AT_ONCE);
    const found = await payloadsOf(reader, page);
    page.forEach(({ index }, place) => payloads.push(present(found[place], index)));
  }
  return payloads;
}

const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function present(found: FoundPayload, index: number): Uint8Array {
  const payload = bytesOf(found);
  if (payload !== undefined) return payload;
  const fate = isPruned(found) ? `was pruned on ${isoDay(found.prunedAtMs)}` : 'is gone';
  throw new AskerError('not-found', `the payload of entry ${index} ${fate}: there is no evidence without it`);
}
