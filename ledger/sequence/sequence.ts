/**
 * Ordering: from checked batches, what was found in the store about them and the time, works out the entries to append
 * and the answer to each batch. Pure; nothing is read or written here.
 */
import type { UnixMs } from '../../protocol/brands.js';
import { equalBytes, toHex } from '../../protocol/bytes.js';
import type { CborWriter } from '../../protocol/cbor.js';
import { encodeEntry, entryWriter } from '../../protocol/tlog/entry.js';
import { refusalNumber } from '../../protocol/errors.js';
import type { Outcome } from '../../protocol/mqtt/ledger-receipt.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { PayloadTable } from '../store/payload-table.js';
import { copiedReportRule, duplicateOf } from '../admission/duplicate.js';
import type { CheckedBatch, CheckedItem } from './checked-batch.js';
import { DayChanges, isOfDay, type DayRules } from './day-changes.js';
import { GatewayChanges, type GatewayRules } from './gateway-changes.js';
import type { DayRecord } from '../store/day-record.js';
import type { GatewayRecord } from '../store/gateway-record.js';
import type { BatchRecord, Found, LogState, NewEntry, PayloadRecord } from '../store/store.js';

/** How a batch is answered: as recorded earlier, as recorded with this commit, or refused as a whole, unrecorded. */
export type Answer =
  | { readonly kind: 'again'; readonly record: BatchRecord }
  | { readonly kind: 'new'; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'refused'; readonly refusal: 'sequence' | 'certificate' };

export interface AnsweredBatch {
  readonly batch: CheckedBatch;
  readonly outcomes: readonly Outcome[];
}

export interface Sequenced {
  /** Batches answered for the first time, each once. */
  readonly answered: readonly AnsweredBatch[];
  readonly entries: readonly NewEntry[];
  readonly leaves: readonly Uint8Array[];
  /** Of gateways that these entries speak of, as they leave them. */
  readonly gateways: readonly GatewayRecord[];
  /** Of the days that these entries concern, as they leave them. */
  readonly days: readonly DayRecord[];
  /** In the order of the batches given. */
  readonly answers: readonly Answer[];
  readonly duplicates: number;
}

/** Hashes to be looked up before {@link sequence} can run; none of batches answered before. */
export function payloadsToLookUp(
  batches: readonly CheckedBatch[],
  answered: Found['batches'],
): readonly Uint8Array[] {
  const payloads: Uint8Array[] = [];
  batches.forEach(({ items }, i) => {
    if (answered[i] !== undefined) return;
    for (const { refusal, payloadSha256 } of items) if (refusal === undefined) payloads.push(payloadSha256);
  });
  return payloads;
}

const UNCERTIFIED = refusalNumber('certificate');

/** A commit while it is worked out. */
interface Draft {
  readonly nowMs: UnixMs;
  readonly firstIndex: number;
  readonly entries: NewEntry[];
  readonly leaves: Uint8Array[];
  /** What the store holds of the payloads given, by hash. */
  readonly stored: ReadonlyMap<string, PayloadRecord>;
  /** What this commit adds. */
  readonly added: PayloadTable;
  readonly writer: CborWriter;
  readonly days: DayChanges;
  readonly gateways: GatewayChanges;
  previousLeaf: Uint8Array;
  duplicates: number;
}

function earlierPayload({ stored, added }: Draft, hash: Uint8Array): PayloadRecord | undefined {
  return added.find(hash) ?? (stored.size > 0 ? stored.get(toHex(hash)) : undefined);
}

/** Appends the item, unless the log has it already or must not take it. */
function sequenceItem(draft: Draft, batch: CheckedBatch, item: CheckedItem): Outcome {
  const { type, payload, payloadSha256, retentionDay, statement } = item;
  const earlier = earlierPayload(draft, payloadSha256);
  const repeated = duplicateOf(type, earlier) ?? draft.days.saidBefore(item);
  if (repeated !== undefined) {
    draft.duplicates += 1;
    return { reason: 0, index: repeated };
  }
  const refusal =
    copiedReportRule(type, earlier) ??
    draft.gateways.refusalOf(batch.writerId, item.timeMs) ??
    draft.days.refusalOf(item);
  if (refusal !== undefined) return { reason: refusalNumber(refusal), index: null };
  const index = draft.firstIndex + draft.entries.length;
  const fields = {
    type,
    appendedAtMs: draft.nowMs,
    source: batch.writerId,
    sourceSeq: batch.seq,
    sourceTimeMs: item.timeMs,
    payloadLength: payload.length,
    payloadSha256,
    previousLeaf: draft.previousLeaf,
  };
  const entry = encodeEntry(fields, draft.writer);
  draft.previousLeaf = leafHash(entry);
  const firstOfPayload = earlier === undefined;
  draft.entries.push({ entry, type, payload, payloadSha256, retentionDay, firstOfPayload });
  draft.leaves.push(draft.previousLeaf);
  draft.days.take(item, index, firstOfPayload);
  if (statement !== undefined && !isOfDay(statement)) draft.gateways.take(statement);
  if (firstOfPayload) draft.added.add(payloadSha256, { type, index, day: retentionDay });
  return { reason: 0, index };
}

function outcomesOf(draft: Draft, batch: CheckedBatch): Outcome[] {
  return batch.items.map((item) =>
    item.refusal === undefined
      ? sequenceItem(draft, batch, item)
      : { reason: refusalNumber(item.refusal), index: null },
  );
}

/**
 * Whether nothing a gateway sent is certified. Such a batch is refused unrecorded: its certificate may be in
 * the log when it sends the batch again, and a gateway that was revoked must not fill the disk with answers.
 */
function isUncertified(
  { writerId }: CheckedBatch,
  outcomes: readonly Outcome[],
  { isConfigured }: GatewayRules,
): boolean {
  return outcomes.every(({ reason }) => reason === UNCERTIFIED) && !isConfigured(writerId);
}

function storedPayloads({ payloads, found }: SequenceInput): ReadonlyMap<string, PayloadRecord> {
  const stored = new Map<string, PayloadRecord>();
  found.payloads.forEach((record, i) => {
    const hash = payloads[i];
    if (record !== undefined && hash !== undefined) stored.set(toHex(hash), record);
  });
  return stored;
}

/**
 * What a (writer, seq) was answered: the same batch again gets that answer, another one is refused
 * (protocol.md §9).
 */
interface EarlierBatch {
  readonly batchHash: Uint8Array;
  readonly answer: Answer;
}

export interface SequenceInput {
  readonly state: LogState;
  readonly batches: readonly CheckedBatch[];
  /** Those of {@link payloadsToLookUp}. */
  readonly payloads: readonly Uint8Array[];
  /** In the same order. */
  readonly found: Found;
  /** Not before the state's lastAppendedMs. */
  readonly nowMs: UnixMs;
  readonly rules: { readonly days: DayRules; readonly gateways: GatewayRules };
}

export function sequence(input: SequenceInput): Sequenced {
  const { state, batches, payloads, found, nowMs, rules } = input;
  const draft: Draft = {
    nowMs,
    firstIndex: state.size,
    entries: [],
    leaves: [],
    stored: storedPayloads(input),
    added: new PayloadTable(payloads.length),
    writer: entryWriter(payloads.length),
    days: new DayChanges(rules.days, nowMs),
    gateways: new GatewayChanges(rules.gateways),
    previousLeaf: state.previousLeaf,
    duplicates: 0,
  };
  const seen = new Map<string, EarlierBatch>();
  const answered: AnsweredBatch[] = [];
  const answers = batches.map((batch, i): Answer => {
    const name = `${toHex(batch.writerId)}/${batch.seq}`;
    const record = found.batches[i];
    const earlier = record
      ? { batchHash: record.batchHash, answer: { kind: 'again', record } as const }
      : seen.get(name);
    if (earlier !== undefined)
      return equalBytes(earlier.batchHash, batch.batchHash)
        ? earlier.answer
        : { kind: 'refused', refusal: 'sequence' };
    const outcomes = outcomesOf(draft, batch);
    if (isUncertified(batch, outcomes, rules.gateways)) return { kind: 'refused', refusal: 'certificate' };
    const answer = { kind: 'new', outcomes } as const;
    answered.push({ batch, outcomes });
    seen.set(name, { batchHash: batch.batchHash, answer });
    return answer;
  });
  const { entries, leaves, duplicates, days, gateways } = draft;
  return { entries, leaves, duplicates, days: days.changed, gateways: gateways.changed, answers, answered };
}
