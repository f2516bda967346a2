/**
 * The contacts of one day as they are come upon, in any order and some more than once, and then in the order of a file of
 * contact columns: a counting sort by step of 20 s, then each step's by pair.
 */
import { newContactColumns, sealContactColumns } from '../../protocol/contact-columns.js';
import { DAY_SECONDS, EPOCHS_PER_DAY } from '../../protocol/time.js';
import { mix32 } from '../../radio/random.js';
import { KINDS } from './contact-kinds.js';
import { STEPS_PER_EPOCH, STEP_SECONDS, fillDetails, firstStepOf } from './contact-details.js';

const STEPS_PER_DAY = EPOCHS_PER_DAY * STEPS_PER_EPOCH;
/** A contact in one number below 2^51: lower tag, upper tag, kind. */
const KIND_RANGE = 8;
const TAG_RANGE = 2 ** 24;

/** A day in the form of its file, and how many of its contacts were of each kind. */
export interface DayMade {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ofKind: Uint32Array;
}

export class DaySheet {
  readonly #day: number;
  readonly #salt: number;
  readonly #tags: Uint32Array;
  #keys: Float64Array;
  #steps: Uint16Array;
  #count = 0;

  /** `salt`: of the city; `tags`: by person; `expected`: a guess at how many contacts come. */
  constructor(day: number, salt: number, tags: Uint32Array, expected: number) {
    this.#day = day;
    this.#salt = salt;
    this.#tags = tags;
    const room = Math.max(1024, Math.ceil(expected * 1.25));
    this.#keys = new Float64Array(room);
    this.#steps = new Uint16Array(room);
  }

  /** Two persons met in this epoch of the day; nothing happens to somebody who met himself. */
  add(kind: number, epoch: number, one: number, another: number): void {
    if (one === another || epoch >= EPOCHS_PER_DAY) return;
    if (this.#count === this.#keys.length) this.#grow();
    const [a, b] = [this.#tags[one]!, this.#tags[another]!];
    const [lower, upper] = a < b ? [a, b] : [b, a];
    const at = this.#count++;
    this.#keys[at] = (lower * TAG_RANGE + upper) * KIND_RANGE + kind;
    this.#steps[at] = epoch * STEPS_PER_EPOCH + firstStepOf(this.#hashOf(epoch, lower, upper));
  }

  /** Of a pair in an epoch, whatever brought them together: twice the same contact is at the same step. */
  #hashOf(epoch: number, lower: number, upper: number): number {
    const salted = this.#salt ^ Math.imul(this.#day * EPOCHS_PER_DAY + epoch, 0x9e3779b1);
    return mix32(mix32(lower ^ salted) ^ Math.imul(upper, 0x85ebca6b));
  }

  #grow(): void {
    const [keys, steps] = [this.#keys, this.#steps];
    this.#keys = new Float64Array(keys.length * 2);
    this.#keys.set(keys);
    this.#steps = new Uint16Array(steps.length * 2);
    this.#steps.set(steps);
  }

  /** To be called once. */
  finish(): DayMade {
    const { keys, rows } = this.#inOrder();
    const count = keepFirstOfPairs(keys, rows);
    const { bytes, columns } = newContactColumns(this.#day, count);
    const ofKind = new Uint32Array(KINDS.length);
    let k = 0;
    for (let step = 0; step < STEPS_PER_DAY; step++) {
      const epoch = Math.floor(step / STEPS_PER_EPOCH);
      for (let end = k + rows[step + 1]! - rows[step]!; k < end; k++) {
        const key = keys[k]!;
        const kind = key % KIND_RANGE;
        const pair = (key - kind) / KIND_RANGE;
        const upper = pair % TAG_RANGE;
        const lower = (pair - upper) / TAG_RANGE;
        columns.lower[k] = lower;
        columns.upper[k] = upper;
        columns.start[k] = this.#day * DAY_SECONDS + step * STEP_SECONDS;
        fillDetails(columns, k, this.#hashOf(epoch, lower, upper), kind);
        ofKind[kind]! += 1;
      }
    }
    sealContactColumns(bytes);
    return { bytes, ofKind };
  }

  /** The keys of step s are those from rows[s] up to rows[s + 1], ascending. */
  #inOrder(): { readonly keys: Float64Array; readonly rows: Uint32Array } {
    const steps = this.#steps.subarray(0, this.#count);
    const rows = new Uint32Array(STEPS_PER_DAY + 1);
    for (const step of steps) rows[step + 1]! += 1;
    for (let step = 0; step < STEPS_PER_DAY; step++) rows[step + 1]! += rows[step]!;
    const next = rows.slice();
    const keys = new Float64Array(this.#count);
    for (let k = 0; k < this.#count; k++) keys[next[steps[k]!]!++] = this.#keys[k]!;
    for (let step = 0; step < STEPS_PER_DAY; step++) keys.subarray(rows[step], rows[step + 1]).sort();
    return { keys, rows };
  }
}

/** In place; `rows` is then of those kept. Returns how many. */
function keepFirstOfPairs(keys: Float64Array, rows: Uint32Array): number {
  let kept = 0;
  let from = 0;
  for (let step = 0; step + 1 < rows.length; step++) {
    const end = rows[step + 1]!;
    let last = -1;
    for (; from < end; from++) {
      const key = keys[from]!;
      const pair = Math.floor(key / KIND_RANGE);
      if (pair !== last) keys[kept++] = key;
      last = pair;
    }
    rows[step + 1] = kept;
  }
  return kept;
}
