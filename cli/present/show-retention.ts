/** What retention has ended and will end, in lines for a person. Days and times are UTC, as the protocol counts them. */
import type { PrunedPayload } from '../../protocol/ledger-reader.js';
import type { PrunedCount } from '../../ledger/verify-pruned.js';
import { DAY_SECONDS } from '../../protocol/time.js';

/** "2026-03-02" of day 20514; the number itself where it is no date. */
export function dateOf(day: number): string {
  const date = new Date(day * DAY_SECONDS * 1000);
  return Number.isNaN(date.getTime()) ? `day ${day}` : date.toISOString().slice(0, 10);
}

const dateOfMs = (ms: number): string => dateOf(Math.floor(ms / 1000 / DAY_SECONDS));

export const prunedLine = ({ day, payloads, prunedAtMs, prunedBy }: PrunedCount): string =>
  `${payloads} payloads of ${dateOf(day)} pruned on ${dateOfMs(prunedAtMs)}, as entry ${prunedBy} says`;

export const prunedPayloadLine = ({ day, prunedAtMs, prunedBy }: PrunedPayload): string =>
  `  its payload, of ${dateOf(day)}, was pruned on ${dateOfMs(prunedAtMs)} by entry ${prunedBy}; the proof holds without it`;
