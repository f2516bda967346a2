/** The ledger's reader in the process that holds its store. Serves nothing beyond what is published. */
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { HASH_LENGTH } from '../../protocol/tlog/merkle.js';
import { noteVerifier } from '../../protocol/tlog/note.js';
import { tileWidthAt } from '../../protocol/tlog/tile.js';
import { MAX_PAYLOADS_PER_CALL } from '../http/payload-frames.js';
import { openStoreLevel } from '../store/store-open.js';
import type { Store, StoreIdentity } from '../store/store.js';
import {
  readPrepared,
  readPublished,
  type HeldLog,
  type PublishedHead,
} from '../witnesses/published-file.js';

function requireWidth(size: number, level: number, index: number, width: number): void {
  if (width >= 1 && width <= tileWidthAt(level, index, size)) return;
  throw new FirebreakError('not-found', 'the log is not that large');
}

/**
 * A reader of an open store, which stays the caller's: `close` only ends the reader. `published` says how far it may be
 * read, by default to the last commit; tiles are cut to the width they had then.
 */
export function readerOfStore(
  store: Store,
  published: () => PublishedHead = () => store.state(),
): LedgerReader {
  let closed = false;
  const requireOpen = (): void => {
    if (closed) throw new FirebreakError('closed', 'this reader of the ledger is closed');
  };
  const head = (): PublishedHead => {
    requireOpen();
    return published();
  };
  return {
    checkpoint: async () => head().checkpoint,
    tile: async (level, index, width) => {
      requireWidth(head().size, level, index, width);
      const hashes = await store.tile(level, index);
      return hashes.slice(0, width * HASH_LENGTH);
    },
    entryBundle: async (index, width) => {
      requireWidth(head().size, 0, index, width);
      return store.bundle(index, width);
    },
    payloads: async (hashes) => {
      requireOpen();
      if (hashes.length <= MAX_PAYLOADS_PER_CALL) return store.payloads(hashes);
      throw new FirebreakError('size', `at most ${MAX_PAYLOADS_PER_CALL} payloads are asked for at once`);
    },
    close: async () => {
      closed = true;
    },
  };
}

export interface FolderReading {
  /** The ledger asked witnesses, and the reader is for others: it shows nothing when what was published is lost. */
  readonly wasWitnessed?: boolean;
  /**
   * The reader is the ledger's own operator: it is shown all that was committed, also what witnesses have not
   * cosigned yet.
   */
  readonly isWhole?: boolean;
}

/**
 * Opens a folder whose ledger is not running, to read it. Nothing is added; a folder without a ledger stays as it is.
 *
 * Throws `not-found`, `foreign`, `locked` when it is open elsewhere, `damaged`, `permission`, `witness` as
 * {@link FolderReading} says.
 */
export async function openLedgerFolder(
  dir: string,
  identity: StoreIdentity,
  { wasWitnessed = false, isWhole = false }: FolderReading = {},
): Promise<LedgerReader> {
  const store = await openStoreLevel({ dir, identity });
  try {
    const held = heldBy(store, identity);
    const published =
      (await readPublished(dir, held)) ?? (wasWitnessed ? await readPrepared(dir, held) : undefined);
    if (published === undefined && wasWitnessed) throw publishedIsLost(dir);
    const shown = isWhole ? undefined : published;
    const reader = readerOfStore(store, () => shown ?? store.state());
    return {
      ...reader,
      close: async () => {
        await reader.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close().catch(() => undefined);
    throw error;
  }
}

const publishedIsLost = (dir: string): FirebreakError =>
  new FirebreakError(
    'witness',
    `what the ledger in ${dir} published is lost, and others are shown only what witnesses cosigned: start the ledger, and ` +
      'try again once they have',
  );

function heldBy(store: Store, { origin, logPublicKey }: StoreIdentity): HeldLog {
  const verifier = noteVerifier(origin, logPublicKey);
  return { size: store.state().size, reader: readerOfStore(store), verifier };
}
