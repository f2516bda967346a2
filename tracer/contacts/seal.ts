/** Sealing: contacts become a segment in memory, its file and the file of its evidence, both on the disk. */
import { FirebreakError } from '../../protocol/errors.js';
import {
  DETAILED,
  EVIDENCE_HEAD_BYTES,
  finishEvidenceFile,
  MUTUAL,
  PARTIAL,
  RECORD_WORDS,
} from './evidence-file.js';
import { mergeEvidence } from './evidence-merge.js';
import type { EvidenceSource } from './evidence-merge.js';
import { withEvidenceWriter } from './evidence-writer.js';
import type { SegmentInfo } from './manifest.js';
import { buildSegment } from './segment-build.js';
import type { SealedColumns } from './segment-build.js';
import { segmentFileBytes, writeSegmentFile } from './segment-file.js';
import { attenuationOf, isMutual } from './segment.js';
import type { Segment } from './segment.js';
import { standFast } from './stand-aside.js';
import type { StandAside, TaskManners } from './stand-aside.js';
import { withFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';
import { timeOrder } from './time-order.js';
import type { ToSeal } from './to-seal.js';

const ROWS_A_LOOK = 16_384;

/** Paths of new files. */
export interface SegmentPaths {
  readonly segment: string;
  readonly evidence: string;
}

/** What went to the disk. */
export interface MadeSegment {
  readonly segment: Segment;
  readonly segmentBytes: number;
  readonly segmentChecksum: number;
  readonly evidenceBytes: number;
  readonly evidenceChecksum: number;
}

/** What a manifest says of it. */
export function infoOf(made: MadeSegment, firstDay: number, lastDay: number): SegmentInfo {
  const { segment, segmentBytes, segmentChecksum, evidenceBytes, evidenceChecksum } = made;
  const { id, baseSeconds, lastSeconds, people, entries } = segment;
  return {
    ...{ id, contacts: entries / 2, baseSeconds, lastSeconds, firstDay, lastDay, people },
    ...{ segmentBytes, segmentChecksum, evidenceBytes, evidenceChecksum },
  };
}

export interface SealResult extends MadeSegment {
  /** Start of the last contact in it, unix seconds. */
  readonly lastStart: number;
}

export interface SealTask {
  readonly kind: 'seal';
  readonly id: number;
  /** People in the directory: rows of the segment. */
  readonly people: number;
  readonly contacts: ToSeal;
  readonly paths: SegmentPaths;
}

/** Throws `input` when there are no contacts, or some of more than half a year. */
export async function sealContacts(
  disk: StoreDisk,
  { id, people, contacts, paths }: SealTask,
  { standAside = standFast }: TaskManners = {},
): Promise<SealResult> {
  if (contacts.count === 0) throw new FirebreakError('input', 'there are no contacts to seal');
  const order = timeOrder(contacts, standAside);
  const segment = buildSegment(id, people, inOrder(contacts, order, standAside), standAside);
  const sources = [new SealedRecords(contacts, order)];
  const made = await writeSegmentFiles(disk, segment, { paths, sources, standAside });
  return { ...made, lastStart: contacts.start[order.at(-1) ?? 0] ?? 0 };
}

interface Writing {
  readonly paths: SegmentPaths;
  readonly sources: readonly EvidenceSource[];
  readonly standAside: StandAside;
}

/** Writes a segment and, merged from its sources, its evidence. */
export async function writeSegmentFiles(
  disk: StoreDisk,
  segment: Segment,
  { paths, sources, standAside }: Writing,
): Promise<MadeSegment> {
  const evidence = await withFile(disk, paths.evidence, 'w', async (fd) => {
    const written = await withEvidenceWriter(disk, fd, EVIDENCE_HEAD_BYTES, (writer) =>
      mergeEvidence(writer, sources, standAside),
    );
    if (2 * written.contacts !== segment.entries) throw apart(segment.id);
    const evidenceChecksum = await finishEvidenceFile(disk, fd, segment.id, written);
    return { evidenceChecksum, evidenceBytes: await disk.size(fd) };
  });
  const segmentChecksum = await writeSegmentFile(disk, paths.segment, segment, standAside);
  return { segment, segmentBytes: segmentFileBytes(segment), segmentChecksum, ...evidence };
}

const apart = (id: number): FirebreakError =>
  new FirebreakError(
    'damaged',
    `segment ${id} was not made: the evidence of its parts is not that of their contacts, so they have to be made ` +
      'again from the ledger',
  );

/** The columns in this order of rows. */
function inOrder(contacts: SealedColumns, order: Uint32Array, standAside: StandAside): SealedColumns {
  const taken = <T extends Uint32Array | Uint16Array | Uint8Array>(from: T, to: T): T => {
    for (let k = 0; k < order.length; k++) {
      if (k % ROWS_A_LOOK === 0) standAside();
      to[k] = from[order[k]!]!;
    }
    return to;
  };
  const { count, lower, upper, start, duration, near, signal, nearInDay, weight } = contacts;
  return {
    count,
    lower: taken(lower, new Uint32Array(count)),
    upper: taken(upper, new Uint32Array(count)),
    start: taken(start, new Uint32Array(count)),
    duration: taken(duration, new Uint16Array(count)),
    near: taken(near, new Uint16Array(count)),
    signal: taken(signal, new Uint8Array(count)),
    nearInDay: taken(nearInDay, new Uint16Array(count)),
    weight: taken(weight, new Uint16Array(count)),
  };
}

/** The records of contacts that are sealed, in this order of rows. */
class SealedRecords implements EvidenceSource {
  readonly words = new Uint32Array(RECORD_WORDS);
  readonly at = 0;
  readonly #contacts: ToSeal;
  readonly #order: Uint32Array;
  /** By row: where its details begin; 4 GiB of them at most. */
  readonly #detailsAt: Uint32Array;
  readonly #view: DataView;
  #next = 0;

  constructor(contacts: ToSeal, order: Uint32Array) {
    this.#contacts = contacts;
    this.#order = order;
    this.#detailsAt = new Uint32Array(contacts.count);
    const { details } = contacts;
    this.#view = new DataView(details.buffer, details.byteOffset, details.byteLength);
    for (let k = 0, at = 0; k < contacts.count; k++, at += 4 + this.#view.getUint32(at, true))
      this.#detailsAt[k] = at;
    this.step();
  }

  get isDone(): boolean {
    return this.#next > this.#order.length;
  }

  details(): Uint8Array | undefined {
    const at = this.#detailsAt[this.#order[this.#next - 1]!]!;
    const length = this.#view.getUint32(at, true);
    return length === 0 ? undefined : this.#contacts.details.slice(at + 4, at + 4 + length);
  }

  step(): boolean {
    const row = this.#order[this.#next++];
    if (row === undefined) return false;
    const { lower, upper, start, duration, signal, buckets, partial } = this.#contacts;
    const words = this.words;
    words[0] = start[row]!;
    words[1] = lower[row]!;
    words[2] = upper[row]!;
    words[3] = buckets[4 * row]! | (buckets[4 * row + 1]! << 16);
    words[4] = buckets[4 * row + 2]! | (buckets[4 * row + 3]! << 16);
    const detailed = this.#view.getUint32(this.#detailsAt[row]!, true) > 0;
    const flags =
      (isMutual(signal[row]!) ? MUTUAL : 0) | (partial[row] ? PARTIAL : 0) | (detailed ? DETAILED : 0);
    words[5] = duration[row]! | (attenuationOf(signal[row]!) << 16) | (flags << 24);
    return true;
  }

  /** There is nothing more to read. */
  async read(): Promise<void> {
    this.#next = this.#order.length + 1;
  }
}
