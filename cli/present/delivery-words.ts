/** How far a writer's entries get, in words that the screens of gateway and authority have in common. */
import { plain } from '../../protocol/plain-text.js';
import { duration } from '../terminal/times.js';
import { count } from './counts.js';

interface Waiting {
  readonly depth: number;
  readonly oldestUnsentMs?: number | undefined;
}

export const unreachable = ({ offlineWhy }: { readonly offlineWhy?: string | undefined }): string =>
  `the ledger cannot be reached${offlineWhy === undefined ? '' : ` (${plain(offlineWhy)})`}`;

/** Deployment ms; 0 when nothing waits. */
export const waitedMs = ({ oldestUnsentMs }: Waiting, nowMs: number): number =>
  oldestUnsentMs === undefined ? 0 : Math.max(0, nowMs - oldestUnsentMs);

/** "2 entries wait, the oldest for 40 s" of 2 that are named "2 entries". */
export const waitingWords = (named: string, waiting: Waiting, nowMs: number): string =>
  `${named} ${waiting.depth === 1 ? 'waits' : 'wait'}, the oldest for ${duration(waitedMs(waiting, nowMs) / 1000)}`;

/** "2 day, 1 epoch" */
export const reasonsInWords = (reasons: Readonly<Record<string, number>> = {}): string =>
  Object.entries(reasons)
    .map(([reason, times]) => `${count(times)} ${plain(reason)}`)
    .join(', ');
