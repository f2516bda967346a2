/**
 * How far the end of each day has come: what the log was told of it. Public, and never forgotten: a destroyed key that
 * comes back is known by it.
 *
 *     retention/<day>     0x01                 the log was told that the day's keys are destroyed
 *                         0x02 || index u48    its payloads are pruned, by that entry of the log
 *
 * Days are 8 hex digits.
 */
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import { lastNumberIn, numberInKey } from '../records/keys.js';
import type { RecordStore } from '../records/records.js';

const DESTROYED = 1;
const PRUNED = 2;
const PREFIX = 'retention/';

/** A day whose keys are destroyed, or as good as that: the entry that says so is on its way. */
export interface EndedDay {
  readonly day: number;
  /** Index of the entry that pruned its payloads, once the ledger has receipted it. */
  readonly prunedBy: number | undefined;
}

export interface RetentionBook {
  /** Ascending by day. */
  list(): Promise<readonly EndedDay[]>;
  find(day: number): Promise<EndedDay | undefined>;
  noteDestroyed(day: number): Promise<void>;
  notePruned(day: number, index: number): Promise<void>;
}

const keyOf = (day: number): string => `${PREFIX}${numberInKey(day)}`;

export function retentionBook(records: RecordStore): RetentionBook {
  let loaded: Promise<Map<number, EndedDay>> | undefined;
  const known = (): Promise<Map<number, EndedDay>> => (loaded ??= load(records));

  async function note(ended: EndedDay, row: Uint8Array): Promise<void> {
    await records.write([[keyOf(ended.day), row]]);
    (await known()).set(ended.day, ended);
  }

  return {
    list: async () => [...(await known()).values()].sort((a, b) => a.day - b.day),
    find: async (day) => (await known()).get(day),
    noteDestroyed: (day) => note({ day, prunedBy: undefined }, Uint8Array.of(DESTROYED)),
    notePruned: (day, index) =>
      note({ day, prunedBy: index }, new ByteWriter(7).u8(PRUNED).u48(index).finish()),
  };
}

async function load(records: RecordStore): Promise<Map<number, EndedDay>> {
  const days = new Map<number, EndedDay>();
  for await (const [key, row] of records.list(PREFIX)) {
    const day = lastNumberIn(key);
    const reader = new ByteReader(row, 'a retention record');
    days.set(day, { day, prunedBy: reader.u8() === PRUNED ? reader.u48() : undefined });
  }
  return days;
}
