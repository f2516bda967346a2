/**
 * The encounters a tag has open (protocol.md §6): one record per peer ephemeral ID and power, at most 1,024 an epoch. A
 * tag's power is constant within an epoch (§4), so beacons of another are another sender's: each has its own record, since
 * only the authority can tell by the MACs which is the tag's. A record belongs to the epoch in which it began and closes
 * 120 s after that epoch's end; a peer heard again later opens another.
 */
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import { isFreshMac } from './heard-macs.js';
import type { HeardMacs } from './heard-macs.js';
import { addSample, closeRecord, isWorthKeeping, openRecord } from './open-record.js';
import type { OpenRecord, Sample } from './open-record.js';

const MAX_RECORDS_AN_EPOCH = 1024;
const CLOSES_AFTER_MS = 120_000;
const EPOCH_MS = EPOCH_SECONDS * 1000;

export interface EncounterTable {
  /** By epoch of their start, then by peer and power; a Map keeps the order in which they were opened. */
  readonly epochs: Map<number, Map<string, OpenRecord>>;
  readonly macs: HeardMacs;
  /** Records worth keeping that had to give way in a full table. */
  evicted: number;
}

export const emptyTable = (): EncounterTable => ({ epochs: new Map(), macs: new Map(), evicted: 0 });

/** Counts one beacon. Returns the epoch of the record it went to, `undefined` when it was ignored. */
export function hearBeacon(
  table: EncounterTable,
  sample: Sample,
  settings: ProtocolSettings,
): number | undefined {
  if (!isFreshMac(table.macs, sample.mac, sample.atMs)) return undefined;
  const key = keyOf(sample);
  for (const [epoch, records] of table.epochs) {
    const open = records.get(key);
    if (open === undefined) continue;
    addSample(open, sample, settings);
    return epoch;
  }
  const epoch = Math.floor(sample.atMs / EPOCH_MS);
  const records = recordsOf(table, epoch);
  if (records.size >= MAX_RECORDS_AN_EPOCH) evictOne(table, records);
  records.set(key, openRecord(sample, settings));
  return epoch;
}

/** Has these epochs close in their time also when no record of theirs is open, so that what is noted of them is forgotten. */
export function holdEpochs(table: EncounterTable, epochs: Iterable<number>): void {
  for (const epoch of epochs) recordsOf(table, epoch);
}

/** Closes what is due and returns what is worth keeping, in the order in which it was opened. */
export function closeDue(
  table: EncounterTable,
  nowMs: number,
  settings: ProtocolSettings,
): { readonly records: readonly EncounterRecord[]; readonly epochs: readonly number[] } {
  const epochs = [...table.epochs.keys()].filter((epoch) => closesAtMs(epoch) <= nowMs).sort((a, b) => a - b);
  const records: EncounterRecord[] = [];
  for (const epoch of epochs) {
    for (const record of table.epochs.get(epoch)?.values() ?? []) {
      if (isWorthKeeping(record)) records.push(closeRecord(record, settings));
    }
    table.epochs.delete(epoch);
  }
  return { records, epochs };
}

/**
 * Closes all as they stand and returns what closeDue does: what is heard by a clock that has moved belongs to none of
 * them. The MACs go too, as the times at which they were heard tell nothing any more.
 */
export function closeAll(table: EncounterTable, settings: ProtocolSettings): ReturnType<typeof closeDue> {
  table.macs.clear();
  return closeDue(table, Infinity, settings);
}

/** When the next record closes; Infinity when none is open. */
export function nextCloseMs(table: EncounterTable): number {
  let next = Infinity;
  for (const epoch of table.epochs.keys()) next = Math.min(next, closesAtMs(epoch));
  return next;
}

export function openCount(table: EncounterTable): number {
  let count = 0;
  for (const records of table.epochs.values()) count += records.size;
  return count;
}

const keyOf = ({ ephId, txPowerDbm }: Sample): string =>
  `${Buffer.from(ephId.buffer, ephId.byteOffset, ephId.length).toString('latin1')}${txPowerDbm}`;

const closesAtMs = (epoch: number): number => (epoch + 1) * EPOCH_MS + CLOSES_AFTER_MS;

function recordsOf(table: EncounterTable, epoch: number): Map<string, OpenRecord> {
  const known = table.epochs.get(epoch);
  if (known !== undefined) return known;
  const made = new Map<string, OpenRecord>();
  table.epochs.set(epoch, made);
  return made;
}

/** The record with the fewest samples goes first, then the oldest. */
function evictOne(table: EncounterTable, records: Map<string, OpenRecord>): void {
  let victim: readonly [string, OpenRecord] | undefined;
  for (const entry of records) {
    if (victim === undefined || isLesser(entry[1], victim[1])) victim = entry;
  }
  if (victim === undefined) return;
  records.delete(victim[0]);
  if (isWorthKeeping(victim[1])) table.evicted += 1;
}

function isLesser(one: OpenRecord, other: OpenRecord): boolean {
  return one.samples < other.samples || (one.samples === other.samples && one.startMs < other.startMs);
}
