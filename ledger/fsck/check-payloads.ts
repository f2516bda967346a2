/**
 * Payloads: each that is new to the log is stored once, under its entry and day, with the bytes of its hash; and nothing
 * else is stored.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/hash.js';
import { indexOfKey } from '../store/store-keys.js';
import { decodePayloadSegment, type StoredPayload } from '../store/store-payloads.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';
import type { RowView } from './row-view.js';

export interface PayloadCheckInput {
  readonly rows: RowView;
  readonly findings: Findings;
  readonly columns: EntryColumns;
  /** Entries whose payloads are wanted. */
  readonly wanted: ReadonlySet<number>;
  readonly pace: (done: number, size: number) => Promise<void> | undefined;
}

export interface PayloadSummary {
  readonly stored: number;
  /** The wanted payloads that are stored as they were logged; copies. */
  readonly payloads: ReadonlyMap<number, Uint8Array>;
}

function readSegment({ key, value }: LiveRow, findings: Findings): StoredPayload[] {
  try {
    return decodePayloadSegment(value);
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    findings.damage('payloads', `begins a row that cannot be read: ${error.message}`, {
      index: indexOfKey(key),
    });
    return [];
  }
}

/** What is wrong with a payload that is stored for an entry of the log. */
function faultOf(columns: EntryColumns, { index, payload }: StoredPayload, day: number): string | undefined {
  if (columns.has(index, MARK.stored)) return 'has its payload stored twice';
  if (!columns.has(index, MARK.first))
    return `has a payload stored that first came with entry ${columns.firstWith(columns.hashOf(index))}`;
  if (columns.retentionDays[index] !== day)
    return `has its payload stored under day ${day}, not ${columns.retentionDays[index]}`;
  if (columns.lengths[index] !== payload.length)
    return `has a payload of ${payload.length} bytes stored, and says ${columns.lengths[index]}`;
  return equalBytes(sha256(payload), columns.hashOf(index))
    ? undefined
    : 'has other bytes stored than its payload';
}

class PayloadCheck {
  readonly #input: PayloadCheckInput;
  readonly #kept = new Map<number, Uint8Array>();
  #stored = 0;

  constructor(input: PayloadCheckInput) {
    this.#input = input;
  }

  addRow(row: LiveRow): void {
    const { findings } = this.#input;
    const day = Buffer.from(row.key).readUInt32BE(1);
    let before = -1;
    for (const one of readSegment(row, findings)) {
      if (before === -1 && one.index !== indexOfKey(row.key))
        findings.damage('payloads', 'begins a row that is named otherwise', { index: one.index });
      if (one.index <= before)
        findings.damage('payloads', 'is out of order in its row', { index: one.index });
      before = one.index;
      this.#addPayload(one, day);
    }
  }

  finish(): PayloadSummary {
    return { stored: this.#stored, payloads: this.#kept };
  }

  #addPayload(one: StoredPayload, day: number): void {
    const { columns, findings, wanted } = this.#input;
    const { index, payload } = one;
    if (index >= columns.size)
      return findings.damage('payloads', 'is not in the signed log, and has a payload stored', { index });
    if (!columns.has(index, MARK.known)) return columns.mark(index, MARK.stored);
    const fault = faultOf(columns, one, day);
    columns.mark(index, MARK.stored);
    if (fault !== undefined) return findings.damage('payloads', fault, { index });
    this.#stored += 1;
    if (wanted.has(index)) this.#kept.set(index, new Uint8Array(payload));
  }
}

/** The entry that holds the payload of this one: itself, or the first one with the same payload. */
export const holderOf = (columns: EntryColumns, index: number): number =>
  columns.firstWith(columns.hashOf(index)) ?? index;

/** Reads all payloads once. */
export async function checkPayloads(input: PayloadCheckInput): Promise<PayloadSummary> {
  const check = new PayloadCheck(input);
  let done = 0;
  for (const row of input.rows.ofKind('p')) {
    check.addRow(row);
    done += 1;
    await input.pace(done, Infinity);
  }
  return check.finish();
}
