/**
 * What a ledger reads when it starts: the right edge of its tree, checked against its signed checkpoint of
 * the last commit.
 */
import { equalBytes } from '../protocol/bytes.js';
import { openCheckpoint } from '../protocol/tlog/checkpoint.js';
import { entriesOf, TILE_WIDTH } from '../protocol/tlog/tile.js';
import type { FirebreakError } from '../protocol/errors.js';
import { leafHash } from '../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../protocol/tlog/note.js';
import { readTileEdge, type TileEdge } from '../protocol/tlog/tile-edge.js';
import { readerOfStore } from './readers/reader-level.js';
import { storeDamage } from './store/store-damage.js';
import type { LogState, Store } from './store/store.js';

const damaged = (why: string, cause?: unknown): FirebreakError =>
  storeDamage(`the ledger's store is damaged: ${why}`, cause);

function requireOwnCheckpoint({ size, root, checkpoint }: LogState, log: NoteVerifier): void {
  try {
    const signed = openCheckpoint(checkpoint, log);
    if (signed.size === size && equalBytes(signed.root, root)) return;
  } catch (cause) {
    throw damaged('its checkpoint is not one this log signed', cause);
  }
  throw damaged(`its checkpoint is not of ${size} entries`);
}

async function requireLastLeaf(store: Store, { size, previousLeaf }: LogState): Promise<void> {
  if (size === 0) return;
  const width = ((size - 1) % TILE_WIDTH) + 1;
  const bundle = await store.bundle(Math.floor((size - 1) / TILE_WIDTH), width);
  const last = entriesOf(bundle, width).at(-1);
  if (last === undefined || !equalBytes(leafHash(last), previousLeaf))
    throw damaged(`entry ${size - 1} is not the last one written`);
}

/** Throws `damaged` when checkpoint, tiles and last entries do not belong together. */
export async function readEdge(store: Store, log: NoteVerifier): Promise<TileEdge> {
  const state = store.state();
  requireOwnCheckpoint(state, log);
  await requireLastLeaf(store, state);
  const edge = await readTileEdge(readerOfStore(store), state.size);
  if (equalBytes(edge.root(), state.root)) return edge;
  throw damaged('its tiles do not give the root of its checkpoint');
}
