/**
 * Which report is due, and what a receipt changes (protocol.md §8). One report is outstanding at a time: its plaintext is
 * fixed when it is first made and repeated byte for byte until a gateway receipts it. The next one names its hash.
 */
import { decodeEncounterRecord } from '../../protocol/tag/encounter-record.js';
import { encodeReportPlaintext, MAX_RECORDS } from '../../protocol/tag/report-plaintext.js';
import { dayOf } from '../../protocol/time.js';
import type { FlashEntry } from './flash.js';

export interface OutstandingReport {
  readonly seq: number;
  readonly day: number;
  readonly plaintext: Uint8Array;
  /** The records in it, as the flash numbers them. */
  readonly ids: readonly number[];
}

export interface ReportChain {
  readonly nextSeq: number;
  /** H(last receipted report), zeros before the first. */
  readonly prev: Uint8Array;
  readonly outstanding: OutstandingReport | undefined;
  /** Delivered, perhaps not yet freed: freed again after a restart. */
  readonly delivered: readonly number[];
}

export const newChain = (): ReportChain => ({
  nextSeq: 0,
  prev: new Uint8Array(32),
  outstanding: undefined,
  delivered: [],
});

/**
 * The chain with a report outstanding, when one is or can be made: the oldest record of a day that can be sealed, and up
 * to 1,023 more of that day. The same chain when nothing waits.
 */
export function withReportDue(
  chain: ReportChain,
  entries: Iterable<FlashEntry>,
  canSeal: (day: number) => boolean,
): ReportChain {
  if (chain.outstanding !== undefined) return chain;
  const chosen = oldestDay(entries, canSeal);
  if (chosen === undefined) return chain;
  const { day, entries: picked } = chosen;
  const records = picked.map(({ bytes }) => decodeEncounterRecord(bytes));
  const plaintext = encodeReportPlaintext({ seq: chain.nextSeq, prev: chain.prev, records });
  const ids = picked.map(({ id }) => id);
  return { ...chain, outstanding: { seq: chain.nextSeq, day, plaintext, ids } };
}

/** Whether one of these can be sealed now, or with a key that a gateway would bring, which is of today or the day before. */
export function mayBeReported(
  entries: Iterable<FlashEntry>,
  today: number,
  canSeal: (day: number) => boolean,
): boolean {
  for (const { bytes } of entries) {
    const day = dayOf(startOf(bytes));
    if (isDayOfHello(day, today) || canSeal(day)) return true;
  }
  return false;
}

const isDayOfHello = (day: number, today: number): boolean => day === today || day === today - 1;

/** The chain after an accepting receipt for the outstanding report. */
export function afterReceipt(chain: ReportChain, reportHash: Uint8Array): ReportChain {
  const { outstanding } = chain;
  if (outstanding === undefined) return chain;
  return {
    nextSeq: outstanding.seq + 1,
    prev: reportHash,
    outstanding: undefined,
    delivered: outstanding.ids,
  };
}

/** The chain without a report that can never be accepted. Its seq is spent: no other plaintext may carry it. */
export function afterGivingUp(chain: ReportChain): ReportChain {
  const { outstanding } = chain;
  if (outstanding === undefined) return chain;
  return { ...chain, nextSeq: outstanding.seq + 1, outstanding: undefined };
}

/** The chain beside a flash that is a new one: what it says of records is of another. The report itself stays due. */
export function onNewFlash(chain: ReportChain): ReportChain {
  const { outstanding } = chain;
  return { ...chain, outstanding: outstanding && { ...outstanding, ids: [] }, delivered: [] };
}

/** The second of a stored record's start, without decoding the rest. */
export function startOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(16);
}

function oldestDay(
  entries: Iterable<FlashEntry>,
  canSeal: (day: number) => boolean,
): { readonly day: number; readonly entries: readonly FlashEntry[] } | undefined {
  let day: number | undefined;
  const picked: FlashEntry[] = [];
  for (const entry of entries) {
    const of = dayOf(startOf(entry.bytes));
    if (day === undefined && canSeal(of)) day = of;
    if (of !== day) continue;
    if (picked.push(entry) === MAX_RECORDS) break;
  }
  return day === undefined ? undefined : { day, entries: picked };
}
