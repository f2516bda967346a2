/**
 * Compaction: several segments become one. What was replaced and what is past retention is left out, of rows
 * and evidence alike. The old segments are as they were until a manifest drops them.
 */
import { openEvidenceStream } from './evidence-stream.js';
import { KeptEvidence } from './evidence-merge.js';
import type { EvidenceSource } from './evidence-merge.js';
import { mergeRows } from './merge-rows.js';
import type { Part } from './merge-rows.js';
import { writeSegmentFiles } from './seal.js';
import type { MadeSegment, SegmentPaths } from './seal.js';
import { twinOf } from './segment-search.js';
import type { Segment } from './segment.js';
import { standFast } from './stand-aside.js';
import type { TaskManners } from './stand-aside.js';
import type { StoreDisk } from './store-disk.js';

export interface CompactTask {
  readonly kind: 'compact';
  readonly id: number;
  readonly people: number;
  readonly parts: readonly {
    readonly segment: Segment;
    readonly evidencePath: string;
    /** Entries that were replaced, of either person, in any order. */
    readonly dropped: Uint32Array;
  }[];
  /** Contacts that end before this are left out, unix seconds; 0: none are. */
  readonly keepFrom: number;
  readonly paths: SegmentPaths;
}

/** Gives `undefined` when nothing is left, and then writes nothing. Throws `damaged` when the evidence of a part is. */
export async function compactSegments(
  disk: StoreDisk,
  task: CompactTask,
  { onPeople, standAside = standFast }: TaskManners = {},
): Promise<MadeSegment | undefined> {
  const { id, people, keepFrom, paths } = task;
  const parts: Part[] = task.parts.map(({ segment, dropped }) => ({
    segment,
    dropped: withTwins(segment, dropped),
  }));
  const segment = mergeRows(parts, { id, people, keepFrom, onPeople, standAside });
  if (segment === undefined) return undefined;
  const files: number[] = [];
  try {
    const sources: EvidenceSource[] = [];
    for (const [i, part] of parts.entries()) {
      const path = task.parts[i]?.evidencePath ?? '';
      files.push(await disk.open(path, 'r'));
      const stream = await openEvidenceStream(disk, files.at(-1) ?? -1, path, part.segment.id);
      sources.push(new KeptEvidence(stream, part.segment, part.dropped, keepFrom));
    }
    return await writeSegmentFiles(disk, segment, { paths, sources, standAside });
  } finally {
    for (const fd of files) await disk.close(fd);
  }
}

/** Both entries of each contact that either is given of, ascending. */
function withTwins(segment: Segment, entries: Uint32Array): Uint32Array {
  const both = new Set<number>(entries);
  for (const entry of entries) {
    const twin = twinOf(segment, entry);
    if (twin !== undefined) both.add(twin);
  }
  return Uint32Array.from(both).sort();
}
