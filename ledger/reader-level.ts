/** The ledger's reader in the process that holds its store. Serves nothing beyond the last commit. */
import { FirebreakError } from '../protocol/errors.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import { HASH_LENGTH } from '../protocol/merkle.js';
import { tileWidthAt } from '../protocol/tile.js';
import { MAX_PAYLOADS_PER_CALL } from './payload-frames.js';
import { openStoreLevel } from './store-recovery.js';
import type { Store, StoreIdentity } from './store.js';

function requireWidth(store: Store, level: number, index: number, width: number): void {
  if (width >= 1 && width <= tileWidthAt(level, index, store.state().size)) return;
  throw new FirebreakError('not-found', 'the log is not that large');
}

/** A reader of an open store, which stays the caller's: `close` only ends the reader. */
export function readerOfStore(store: Store): LedgerReader {
  let closed = false;
  const open = (): Store => {
    if (closed) throw new FirebreakError('closed', 'this reader of the ledger is closed');
    return store;
  };
  return {
    checkpoint: async () => open().state().checkpoint,
    tile: async (level, index, width) => {
      requireWidth(open(), level, index, width);
      const hashes = await store.tile(level, index);
      return hashes.slice(0, width * HASH_LENGTH);
    },
    entryBundle: async (index, width) => {
      requireWidth(open(), 0, index, width);
      return store.bundle(index, width);
    },
    payloads: async (hashes) => {
      if (hashes.length <= MAX_PAYLOADS_PER_CALL) return open().payloads(hashes);
      throw new FirebreakError('size', `at most ${MAX_PAYLOADS_PER_CALL} payloads are asked for at once`);
    },
    close: async () => {
      closed = true;
    },
  };
}

/**
 * Opens a folder whose ledger is not running, to read it. Nothing is added; a folder without a ledger stays as it is.
 *
 * Throws `not-found`, `foreign`, `locked` when its ledger runs, `damaged`, `permission`.
 */
export async function openLedgerFolder(dir: string, identity: StoreIdentity): Promise<LedgerReader> {
  const store = await openStoreLevel({ dir, identity });
  const reader = readerOfStore(store);
  return {
    ...reader,
    close: async () => {
      await reader.close();
      await store.close();
    },
  };
}
