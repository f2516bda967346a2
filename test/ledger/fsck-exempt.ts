/** Flipped bits that docs/ledger-fsck.md says are no damage: where fsck may be silent, and nowhere else. */
import { checkJournal, readJournalFiles } from '../../ledger/fsck/journal-check.js';
import { Findings } from '../../ledger/fsck/findings.js';
import type { FsckReport } from '../../ledger/fsck/fsck.js';
import { JOURNAL_FILES, payloadPathOf, PUBLISHED_FILE } from '../../ledger/store/folder.js';
import { scanFrames } from '../../ledger/store/journal-frames.js';
import { isPayloadKey } from '../../ledger/store/store-keys.js';
import { pieceOf } from '../../ledger/store/store-payloads.js';
import { isZero } from '../../protocol/bytes.js';

export interface Place {
  readonly file: string;
  readonly byte: number;
  readonly bit: number;
}

/** Of a file, from the first byte to the one behind the last. */
interface Span {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

type StoredFile = { readonly file: string; readonly bytes: Buffer };

const isIn = (spans: readonly Span[], { file, byte }: Place): boolean =>
  spans.some((span) => span.file === file && span.from <= byte && byte < span.to);

/** Payloads that a start writes again, from the journal. */
function journaledPayloads(dir: string): Span[] {
  return checkJournal(readJournalFiles(dir), new Findings(), () => undefined)
    .flatMap(({ rows }) => rows.filter(({ key }) => isPayloadKey(key)).map(pieceOf))
    .map(({ day, offset, records }) => ({
      file: payloadPathOf(day),
      from: offset,
      to: offset + records.length,
    }));
}

/** What an earlier turn left in the journal behind its newest commit. */
function earlierTurns(files: readonly StoredFile[]): Span[] {
  return files
    .filter(({ file }) => JOURNAL_FILES.includes(file))
    .map(({ file, bytes }) => ({ file, bytes, from: scanFrames(bytes).end }))
    .filter(({ bytes, from }) => !isZero(bytes.subarray(from)))
    .map(({ file, bytes, from }) => ({ file, from, to: bytes.length }));
}

/**
 * Of the folder `dir` with these files, of which fsck said `before`: gives for a place, and what fsck said with a bit
 * flipped there, why it need not say more; `undefined` when it must.
 */
export function exemptionsOf(
  dir: string,
  files: readonly StoredFile[],
  before: FsckReport,
): (place: Place, report: FsckReport) => string | undefined {
  const leftover = before.findings.kept.filter(({ kind }) => kind === 'leftover').map(({ file }) => file);
  const [journaled, earlier] = [journaledPayloads(dir), earlierTurns(files)];
  return (place, { findings }) => {
    const isUnchecked = findings.kept.some(
      ({ kind, file }) => kind === 'unchecked' && file === PUBLISHED_FILE,
    );
    if (leftover.includes(place.file)) return 'a file not in use';
    if (place.file === PUBLISHED_FILE && isUnchecked) return 'whose cosignature it is, mentioned';
    if (isIn(journaled, place)) return 'a payload that the journal holds too';
    if (isIn(earlier, place)) return 'an earlier turn of the journal';
    return undefined;
  };
}
