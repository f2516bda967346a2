/**
 * When a replayed tag needs what (tracing.md, "Replaying recorded contacts"): a visit to the gateway after every hour in
 * which it logged something, the last of which comes after its last contact; and credentials for the days from its first
 * contact to its last visit.
 */
import type { ContactRecording } from './contact-recording.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Records close 120 s after their epoch, and so after the hour. */
const CLOSED_AFTER_MS = 120_000;

export interface TagPlan {
  /** Ascending, unix ms. */
  readonly visitsMs: readonly number[];
  readonly firstDay: number;
  readonly lastDay: number;
}

/** One plan for each person of the recording, in their order. */
export function planVisits(recording: ContactRecording): readonly TagPlan[] {
  const hours = recording.persons.map(() => new Set<number>());
  for (const { a, b, startMs, endMs } of recording.contacts) {
    const last = Math.floor((endMs - 1) / HOUR_MS);
    for (let hour = Math.floor(startMs / HOUR_MS); hour <= last; hour += 1) {
      hours[a]?.add(hour);
      hours[b]?.add(hour);
    }
  }
  return hours.map(planOf);
}

function planOf(hours: ReadonlySet<number>): TagPlan {
  const ordered = [...hours].sort((x, y) => x - y);
  const visitsMs = ordered.map((hour) => (hour + 1) * HOUR_MS + CLOSED_AFTER_MS);
  const firstDay = Math.floor(((ordered[0] ?? 0) * HOUR_MS) / DAY_MS);
  const lastDay = Math.floor((visitsMs.at(-1) ?? 0) / DAY_MS);
  return { visitsMs, firstDay, lastDay };
}
