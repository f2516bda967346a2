/**
 * What the ledger knows of one day: how much was stored for it, which entry says that its keys are destroyed, and which
 * one pruned its payloads.
 *
 *     payloads u48 | bytes u48 | destroyed by u48 | pruned by u48 | pruned at u64 | removed u8
 *     index 2^48 − 1: none
 */
import { asUnixMs, type UnixMs } from '../../protocol/brands.js';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';

const ROW_BYTES = 33;
const NO_INDEX = 2 ** 48 - 1;

export interface DayRecord {
  readonly day: number;
  /** Payloads stored for this day since the log began, and their bytes; they stay counted once they are pruned. */
  readonly payloads: number;
  readonly payloadBytes: number;
  /** Index of the entry that says that the day's keys are destroyed. */
  readonly destroyedBy: number | undefined;
  readonly pruned: PrunedDay | undefined;
}

export interface PrunedDay {
  /** Index of the entry of type 10. */
  readonly by: number;
  /** When that entry was appended: from then on no payload of the day is handed out. */
  readonly atMs: UnixMs;
  /** Whether the bytes have left the store's files. */
  readonly removed: boolean;
}

export const newDayRecord = (day: number): DayRecord => ({
  day,
  payloads: 0,
  payloadBytes: 0,
  destroyedBy: undefined,
  pruned: undefined,
});

export function encodeDayRow({ payloads, payloadBytes, destroyedBy, pruned }: DayRecord): Uint8Array {
  return new ByteWriter(ROW_BYTES)
    .u48(payloads)
    .u48(payloadBytes)
    .u48(destroyedBy ?? NO_INDEX)
    .u48(pruned?.by ?? NO_INDEX)
    .u64(pruned?.atMs ?? 0)
    .u8(pruned?.removed === true ? 1 : 0)
    .finish();
}

/** Throws `format`. */
export function decodeDayRow(bytes: Uint8Array, day: number): DayRecord {
  const reader = new ByteReader(bytes, 'a day row');
  const [payloads, payloadBytes, destroyedBy, by] = [reader.u48(), reader.u48(), reader.u48(), reader.u48()];
  const [atMs, removed] = [asUnixMs(reader.u64()), reader.u8()];
  reader.end();
  if (removed > 1 || (by === NO_INDEX && (removed === 1 || atMs !== 0)))
    throw new FirebreakError('format', 'a day row that contradicts itself');
  return {
    day,
    payloads,
    payloadBytes,
    destroyedBy: destroyedBy === NO_INDEX ? undefined : destroyedBy,
    pruned: by === NO_INDEX ? undefined : { by, atMs, removed: removed === 1 },
  };
}

/** All days, as of the last commit. A few bytes for each day since the log began. */
export class DayRegister {
  readonly #days = new Map<number, DayRecord>();
  readonly #unremoved = new Set<number>();

  constructor(records: readonly DayRecord[]) {
    for (const record of records) this.keep(record);
  }

  find(day: number): DayRecord | undefined {
    return this.#days.get(day);
  }

  /** To be called once the record is stored. */
  keep(record: DayRecord): void {
    this.#days.set(record.day, record);
    if (record.pruned?.removed === false) this.#unremoved.add(record.day);
    else this.#unremoved.delete(record.day);
  }

  /** Days that are pruned and whose bytes may still be in the store's files. */
  get toRemove(): number {
    return this.#unremoved.size;
  }

  /** The oldest of them that is not in `except`. */
  nextToRemove(except: ReadonlySet<number>): number | undefined {
    const days = [...this.#unremoved].filter((day) => !except.has(day));
    return days.length === 0 ? undefined : Math.min(...days);
  }

  /** Ascending by day. */
  list(): readonly DayRecord[] {
    return [...this.#days.values()].sort((a, b) => a.day - b.day);
  }
}
