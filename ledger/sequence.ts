/**
 * Ordering: from checked batches, what was found in the store about them and the time, works out the entries to append
 * and the answer to each batch. Pure; nothing is read or written here.
 */
import type { UnixMs } from '../protocol/brands.js';
import { toHex } from '../protocol/bytes.js';
import { encodeEntry } from '../protocol/entry.js';
import { refusalNumber } from '../protocol/errors.js';
import type { Outcome } from '../protocol/ledger-receipt.js';
import { leafHash } from '../protocol/merkle.js';
import { duplicateOf } from './admission/duplicate.js';
import { sequenceRule } from './admission/sequence.js';
import type { CheckedBatch, CheckedItem, GatewayStatement } from './checked-batch.js';
import { DayCourse, isOfDay, type DayRules } from './day-course.js';
import type { DayRecord } from './day-record.js';
import type { BatchRecord, Found, LogState, Lookup, NewEntry, PayloadRecord } from './store.js';

/** How a batch is answered: as recorded earlier, as recorded with this commit, or refused for its sequence number. */
export type Answer =
  | { readonly kind: 'again'; readonly record: BatchRecord }
  | { readonly kind: 'new'; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'sequence' };

export interface AnsweredBatch {
  readonly batch: CheckedBatch;
  readonly outcomes: readonly Outcome[];
}

export interface Sequenced {
  /** Batches answered for the first time, each once. */
  readonly answered: readonly AnsweredBatch[];
  readonly entries: readonly NewEntry[];
  readonly leaves: readonly Uint8Array[];
  readonly statements: readonly GatewayStatement[];
  /** Of the days that these entries concern, as they leave them. */
  readonly days: readonly DayRecord[];
  /** In the order of the batches given. */
  readonly answers: readonly Answer[];
  readonly duplicates: number;
}

/** What must be looked up before {@link sequence} can run, in one read. */
export function planLookup(batches: readonly CheckedBatch[]): Lookup {
  const admissible = batches.flatMap(({ items }) => items.filter(({ refusal }) => refusal === undefined));
  return { batches, payloads: admissible.map(({ payloadSha256 }) => payloadSha256) };
}

interface Course {
  readonly nowMs: UnixMs;
  readonly firstIndex: number;
  readonly entries: NewEntry[];
  readonly leaves: Uint8Array[];
  readonly statements: GatewayStatement[];
  /** By hash of the payload: what the store holds and what this commit adds. */
  readonly payloads: Map<string, PayloadRecord>;
  readonly days: DayCourse;
  previousLeaf: Uint8Array;
  duplicates: number;
}

function append(course: Course, batch: CheckedBatch, item: CheckedItem): Outcome {
  const name = toHex(item.payloadSha256);
  const earlier = course.payloads.get(name);
  const first = duplicateOf(item.type, earlier) ?? course.days.saidBefore(item);
  if (first !== undefined) {
    course.duplicates += 1;
    return { reason: 0, index: first };
  }
  const refusal = course.days.refusalOf(item);
  if (refusal !== undefined) return { reason: refusalNumber(refusal), index: null };
  const index = course.firstIndex + course.entries.length;
  const entry = encodeEntry({
    type: item.type,
    appendedAtMs: course.nowMs,
    source: batch.writerId,
    sourceSeq: batch.seq,
    sourceTimeMs: item.timeMs,
    payloadLength: item.payload.length,
    payloadSha256: item.payloadSha256,
    previousLeaf: course.previousLeaf,
  });
  course.previousLeaf = leafHash(entry);
  course.entries.push({ ...item, entry, firstOfPayload: earlier === undefined });
  course.leaves.push(course.previousLeaf);
  course.days.take(item, index, earlier === undefined);
  if (item.statement !== undefined && !isOfDay(item.statement)) course.statements.push(item.statement);
  if (earlier === undefined) course.payloads.set(name, { type: item.type, index });
  return { reason: 0, index };
}

function outcomesOf(course: Course, batch: CheckedBatch): Outcome[] {
  return batch.items.map((item) =>
    item.refusal === undefined
      ? append(course, batch, item)
      : { reason: refusalNumber(item.refusal), index: null },
  );
}

function knownPayloads(lookup: Lookup, found: Found): Map<string, PayloadRecord> {
  const known = new Map<string, PayloadRecord>();
  lookup.payloads.forEach((hash, i) => {
    const record = found.payloads[i];
    if (record !== undefined) known.set(toHex(hash), record);
  });
  return known;
}

/** What is known of a batch's (writer, seq) while a commit is worked out. */
interface Earlier {
  readonly batchHash: Uint8Array;
  readonly answer: Answer;
}

export interface SequenceInput {
  readonly state: LogState;
  readonly batches: readonly CheckedBatch[];
  readonly lookup: Lookup;
  readonly found: Found;
  /** Not before the state's lastAppendedMs. */
  readonly nowMs: UnixMs;
  readonly dayRules: DayRules;
}

export function sequence({ state, batches, lookup, found, nowMs, dayRules }: SequenceInput): Sequenced {
  const course: Course = {
    nowMs,
    firstIndex: state.size,
    entries: [],
    leaves: [],
    statements: [],
    payloads: knownPayloads(lookup, found),
    days: new DayCourse(dayRules, nowMs),
    previousLeaf: state.previousLeaf,
    duplicates: 0,
  };
  const seen = new Map<string, Earlier>();
  const answered: AnsweredBatch[] = [];
  const answers = batches.map((batch, i): Answer => {
    const name = `${toHex(batch.writerId)}/${batch.seq}`;
    const record = found.batches[i];
    const earlier = record
      ? { batchHash: record.batchHash, answer: { kind: 'again', record } as const }
      : seen.get(name);
    const verdict = sequenceRule(earlier?.batchHash, batch.batchHash);
    if (verdict === 'sequence') return { kind: 'sequence' };
    if (earlier !== undefined) return earlier.answer;
    const outcomes = outcomesOf(course, batch);
    const answer = { kind: 'new', outcomes } as const;
    answered.push({ batch, outcomes });
    seen.set(name, { batchHash: batch.batchHash, answer });
    return answer;
  });
  return { ...course, days: course.days.changed, answers, answered };
}
