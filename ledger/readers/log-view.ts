/** The log as one checkpoint describes it, the latest or a saved one, read from a ledger that may have grown since. */
import { openCheckpoint, type Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { HashReader } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { entriesOf, entriesPath, entryOf, TILE_WIDTH, tileWidthAt } from '../../protocol/tlog/tile.js';
import { tileHashReader } from '../../protocol/tlog/tile-hash-reader.js';
import { NO_WITNESSES, openCosigned } from '../../protocol/tlog/witness-policy.js';
import type { WitnessedCheckpoint, WitnessPolicy } from '../../protocol/tlog/witness-policy.js';

export interface LogView {
  /** The signed note of the checkpoint, verbatim. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly cosigned: WitnessedCheckpoint['cosigned'];
  /** How many entries the ledger has by now. */
  readonly latestSize: number;
  /** Stored hashes, unchecked: hold what is made of them against the checkpoint. */
  readonly readHashes: HashReader;
  /** Entry `index`, which the checkpoint has to cover, unchecked. Throws `damaged` or `not-found`. */
  readEntry(index: number): Promise<Uint8Array>;
  /** The entries of bundle `index` that the checkpoint covers, unchecked. Throws `damaged` or `not-found`. */
  readBundle(index: number): Promise<Uint8Array[]>;
}

/**
 * Opens the view of `savedNote`, or of the latest checkpoint. Tiles and bundles are read at the width they have now:
 * those of earlier widths may be gone (C2SP tlog-tiles). With a policy, the checkpoint of the view needs its witnesses.
 *
 * Throws `format`, `signature`, `foreign` or `witness` for a checkpoint that is none, not of this log or not
 * cosigned, and `consistency` when the ledger has fewer entries than the saved checkpoint says.
 */
export async function openLogView(
  reader: LedgerReader,
  verifier: NoteVerifier,
  savedNote?: string,
  policy: WitnessPolicy = NO_WITNESSES,
): Promise<LogView> {
  const latestNote = await reader.checkpoint();
  const latest = openCheckpoint(latestNote, verifier);
  const note = savedNote ?? latestNote;
  const { checkpoint, cosigned } = openCosigned(note, verifier, policy);
  if (checkpoint.size > latest.size) throw shrunk(checkpoint.size, latest.size);
  return {
    note,
    checkpoint,
    cosigned,
    latestSize: latest.size,
    readHashes: tileHashReader(reader, latest.size),
    readEntry: (index) => {
      const bundle = Math.floor(index / TILE_WIDTH);
      const width = tileWidthAt(0, bundle, latest.size);
      return openBundle(reader, bundle, width, (bytes) => entryOf(bytes, width, index % TILE_WIDTH));
    },
    readBundle: async (index) => {
      const entries = await readEntries(reader, index, tileWidthAt(0, index, latest.size));
      return entries.slice(0, checkpoint.size - index * TILE_WIDTH);
    },
  };
}

/** The entries of a bundle at this width, unchecked. Throws `damaged` or `not-found`. */
export const readEntries = (reader: LedgerReader, index: number, width: number): Promise<Uint8Array[]> =>
  openBundle(reader, index, width, (bundle) => entriesOf(bundle, width));

/** A bundle, read and opened. Throws `damaged` when it cannot be. */
async function openBundle<T>(
  reader: LedgerReader,
  index: number,
  width: number,
  open: (bundle: Uint8Array) => T,
): Promise<T> {
  const bundle = await reader.entryBundle(index, width);
  try {
    return open(bundle);
  } catch (cause) {
    const path = entriesPath(index, width);
    throw new FirebreakError('damaged', `${path} does not hold ${width} entries and nothing else`, { cause });
  }
}

/** A checkpoint that the ledger falls short of. */
export function shrunk(size: number, now: number): FirebreakError {
  return new FirebreakError(
    'consistency',
    `the log has ${now} entries now, and a checkpoint it signed says ${size}: entries were lost, or are held back ` +
      'until witnesses cosign them (ledger status), or the export is of before. Keep the checkpoint file, it is evidence',
  );
}
