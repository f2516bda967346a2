/**
 * Finds the entry of a payload by reading the log from its start, and believes no entry that the log does not
 * bear out.
 */
import { equalBytes } from '../../protocol/bytes.js';
import {
  confirmLog,
  extendLog,
  newLog,
  type ExtendedLog,
  type VerifiedLog,
} from '../../protocol/tlog/log-verifier.js';
import { TILE_WIDTH } from '../../protocol/tlog/tile.js';
import type { LogView } from './log-view.js';

/** 4,096 entries, some 500 KiB. */
const BUNDLES_A_PAGE = 16;

export interface FindOptions {
  /** Told how many entries were looked at, after each page. */
  readonly onProgress?: (done: number, size: number) => void;
  readonly signal?: AbortSignal;
}

async function readPage(view: LogView, firstBundle: number): Promise<Uint8Array[]> {
  const last = Math.ceil(view.checkpoint.size / TILE_WIDTH);
  const bundles = Array.from(
    { length: Math.min(BUNDLES_A_PAGE, last - firstBundle) },
    (_, i) => firstBundle + i,
  );
  return (await Promise.all(bundles.map((bundle) => view.readBundle(bundle)))).flat();
}

/**
 * Index of the first entry with this payload; `undefined` when there is none under the checkpoint of the view.
 *
 * That there is none is only said once all entries gave the root of the checkpoint. An index is one in a hash
 * chain that holds so far: whoever proves that entry has proved the chain up to it.
 *
 * Throws `format` or `chain` naming the first bad entry, `consistency` when the entries do not give the root.
 */
export async function findPayload(
  view: LogView,
  payloadSha256: Uint8Array,
  { onProgress, signal }: FindOptions = {},
): Promise<number | undefined> {
  const { checkpoint } = view;
  let log: VerifiedLog | ExtendedLog = newLog();
  for (let bundle = 0; bundle * TILE_WIDTH < checkpoint.size; bundle += BUNDLES_A_PAGE) {
    signal?.throwIfAborted();
    const extended = extendLog(log, await readPage(view, bundle));
    const found = extended.entries.find((entry) => equalBytes(entry.payloadSha256, payloadSha256));
    if (found) return found.index;
    log = extended.log;
    onProgress?.(log.range.size, checkpoint.size);
  }
  confirmLog(log, checkpoint);
  return undefined;
}
