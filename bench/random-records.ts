/** Encounter records of nobody, for measuring what carries them. */
import { randomBytes } from 'node:crypto';
import type { EncounterRecord } from '../protocol/tag/encounter-record.js';
import { DAY_SECONDS, dayOf } from '../protocol/time.js';

/** So many, of the day of `timeMs`; no two name the same peer. */
export function randomRecords(count: number, timeMs: number): EncounterRecord[] {
  const random = randomBytes(28 * count);
  const start = dayOf(timeMs / 1000) * DAY_SECONDS;
  return Array.from({ length: count }, (_, i) => {
    const at = i * 28;
    return {
      peerEphId: random.subarray(at, at + 16),
      start: start + i,
      durationSeconds: 900,
      samples: 200,
      bucketSeconds: [0, 300, 600, 0],
      minAttenuationDb: 40,
      medianAttenuationDb: 55,
      peerTxPowerDbm: -4,
      proofA: { minuteOffset: 0, mac: random.subarray(at + 16, at + 22) },
      proofB: { minuteOffset: 9, mac: random.subarray(at + 22, at + 28) },
    };
  });
}
