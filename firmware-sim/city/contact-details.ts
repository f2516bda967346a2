/**
 * What is measured in a contact, as whole steps of 20 s, worked out from a hash of the pair and the epoch: it does not
 * depend on who came upon the contact first. Seconds are credited as a tag credits them (docs/protocol.md, attenuation).
 */
import { mix32 } from '../../radio/random.js';
import { MUTUAL, PARTIAL } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { MANNERS } from './contact-kinds.js';

export const STEP_SECONDS = 20;
export const STEPS_PER_EPOCH = 45;
/** In 256: contacts that both sides reported, and those of which a beacon was missed. */
const MUTUAL_SHARE = 236;
const PARTIAL_SHARE = 5;
/** Upper thresholds in dB of immediate, near and medium. */
const IMMEDIATE_DB = 55;
const NEAR_DB = 63;
const MEDIUM_DB = 73;

/** The step of its epoch at which a contact begins; one in three is there when the epoch begins. */
export const firstStepOf = (hash: number): number => (hash % 3 === 0 ? 0 : (hash >>> 8) % STEPS_PER_EPOCH);

/** Fills in contact k of the columns, but for its pair and start. */
export function fillDetails(columns: ContactColumns, k: number, hash: number, kind: number): void {
  const { minSteps, maxSteps, baseDb } = MANNERS[kind]!;
  const [first, second] = [mix32(hash ^ 0x2545f491), mix32(hash ^ 0x6c8e9cf5)];
  const wanted = minSteps + (first % (maxSteps - minSteps + 1));
  const steps = Math.min(wanted, STEPS_PER_EPOCH - firstStepOf(hash));
  const attenuationDb = baseDb + ((second & 15) + ((second >>> 4) & 15));
  columns.duration[k] = steps * STEP_SECONDS;
  columns.attenuationDb[k] = attenuationDb;
  columns.flags[k] =
    (((second >>> 8) & 255) < MUTUAL_SHARE ? MUTUAL : 0) |
    (((second >>> 16) & 255) < PARTIAL_SHARE ? PARTIAL : 0);
  fillBuckets(columns, k, steps, attenuationDb, first >>> 16);
}

/**
 * Most of the seconds in the bucket of the median, the rest beside it, up to a quarter credited to none. One step alone is
 * credited as near only to a contact of one step: so the near steps of a contact can begin and end with it.
 */
function fillBuckets(columns: ContactColumns, k: number, steps: number, db: number, noise: number): void {
  const credited = steps - (noise % (1 + (steps >> 2)));
  const rest = Math.floor((credited * ((noise >>> 6) & 127)) / 320);
  const main = credited - rest;
  let [immediate, near, medium, other] = [0, 0, 0, 0];
  if (db <= IMMEDIATE_DB) [immediate, near] = [main, rest];
  else if (db <= NEAR_DB) [near, immediate, medium] = [main, rest >> 1, rest - (rest >> 1)];
  else if (db <= MEDIUM_DB) [medium, near, other] = [main, rest >> 1, rest - (rest >> 1)];
  else [other, medium] = [main, rest];
  if (immediate + near === 1 && steps > 1) {
    near += 1;
    if (medium > 0) medium -= 1;
  }
  columns.immediate[k] = immediate * STEP_SECONDS;
  columns.near[k] = near * STEP_SECONDS;
  columns.medium[k] = medium * STEP_SECONDS;
  columns.other[k] = other * STEP_SECONDS;
}
