/** The long work of a store, as messages to the thread that does it (seal-worker.ts). */
import { compactSegments } from './compact.js';
import type { CompactTask } from './compact.js';
import { countDay, fillDay } from './import-day.js';
import type { CountTask, DayCount, FillTask } from './import-day.js';
import { fillNearInDay } from './near-in-day.js';
import { sealContacts } from './seal.js';
import type { MadeSegment, SealResult, SealTask } from './seal.js';
import { writeSegmentBlocks } from './segment-file.js';
import type { Segment } from './segment.js';
import { withFile } from './store-disk.js';
import type { TaskManners } from './stand-aside.js';
import type { StoreDisk } from './store-disk.js';

/** nearInDay in the rows of some people, in a segment and beside others of its time. */
export interface NearTask {
  readonly kind: 'near';
  readonly segments: readonly Segment[];
  /** Which of them. */
  readonly target: number;
  readonly from: number;
  readonly to: number;
}

/** Some blocks of a segment, to its file, their checksums to shared memory. */
export interface WriteTask {
  readonly kind: 'write';
  readonly segment: Segment;
  readonly path: string;
  readonly sums: Uint32Array;
  readonly from: number;
  readonly to: number;
}

export interface Tasks {
  readonly seal: SealTask;
  readonly compact: CompactTask;
  readonly count: CountTask;
  readonly fill: FillTask;
  readonly near: NearTask;
  readonly write: WriteTask;
}

export type StoreTask = Tasks[keyof Tasks];

/** What each kind of task gives. */
export interface TaskResults {
  readonly seal: SealResult;
  readonly compact: MadeSegment | undefined;
  readonly count: DayCount;
  /** Index of blocks of evidence. */
  readonly fill: Uint32Array;
  readonly near: undefined;
  readonly write: undefined;
}

/** Does a task here. Throws what the task does. */
export async function runTask(
  disk: StoreDisk,
  task: StoreTask,
  manners: TaskManners = {},
): Promise<TaskResults[keyof TaskResults]> {
  switch (task.kind) {
    case 'seal':
      return sealContacts(disk, task, manners);
    case 'compact':
      return compactSegments(disk, task, manners);
    case 'count':
      return countDay(disk, task);
    case 'fill':
      return fillDay(disk, task);
    case 'near':
      return runNear(task);
    case 'write':
      return runWrite(disk, task);
  }
}

function runNear({ segments, target, from, to }: NearTask): undefined {
  const segment = segments[target];
  if (segment !== undefined) fillNearInDay(segments, segment, from, to);
}

async function runWrite(disk: StoreDisk, { segment, path, sums, from, to }: WriteTask): Promise<undefined> {
  await withFile(disk, path, 'r+', (fd) => writeSegmentBlocks(disk, fd, segment, sums, from, to));
}
