/**
 * The notices that the authority has given, as long as a tag could know itself in one (protocol.md §7). Public once
 * they are out.
 *
 *     notices/<number>    state u8 || givenMs u64 || the notice as signed
 *     notice/latest       number u32 of the newest ever; of earlier versions followed by that notice, which was out
 *
 * Numbers are 8 hex digits. State: 0 the ledger has not answered, 1 it is in the log, 2 the ledger refused it.
 */
import { ByteReader, ByteWriter, concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { readNoticeHead } from '../../protocol/tag/notice.js';
import type { OwnWords } from '../records/own-words.js';
import { numberInKey } from '../records/keys.js';
import type { RecordChange, RecordStore } from '../records/records.js';

const STATES = ['waits', 'logged', 'refused'] as const;
const HEAD_BYTES = 9;
const NUMBER_BYTES = 4;
const PREFIX = 'notices/';
const LATEST = 'notice/latest';

/** Only what is `logged` goes out to tags. */
export type NoticeState = (typeof STATES)[number];

export interface GivenNotice {
  readonly number: number;
  readonly day: number;
  /** Deployment ms; 0 for one that an earlier version gave, or that was read from the log. */
  readonly givenMs: number;
  readonly state: NoticeState;
  readonly bytes: Uint8Array;
}

export interface NoticeBook {
  /** Of the newest notice ever given; 0 before the first. */
  lastNumber(): Promise<number>;
  /** Newest first. */
  list(): Promise<readonly GivenNotice[]>;
  add(notice: Uint8Array, givenMs: number): Promise<void>;
  /** Does nothing for a notice that is forgotten. */
  note(number: number, state: NoticeState): Promise<void>;
  /**
   * Takes up notices of the log that are newer than all given here and of no day before `oldestDay`, as logged, and gives no
   * number again that the log has.
   */
  learn(words: Pick<OwnWords, 'lastNotice' | 'notices'>, oldestDay: number): Promise<void>;
  /** Its number is not given again. */
  remove(numbers: readonly number[]): Promise<void>;
}

const keyOf = (number: number): string => `${PREFIX}${numberInKey(number)}`;

export function noticeBook(records: RecordStore): NoticeBook {
  async function list(): Promise<readonly GivenNotice[]> {
    const given: GivenNotice[] = [];
    const one = await olderOf(records);
    if (one !== undefined) given.push(one);
    for await (const [, row] of records.list(PREFIX)) given.push(decode(row));
    return given.reverse();
  }

  const lastNumber = async (): Promise<number> => {
    const latest = await records.get(LATEST);
    return latest === undefined
      ? 0
      : new ByteReader(latest.subarray(0, NUMBER_BYTES), 'a notice record').u32();
  };

  return {
    lastNumber,
    list,
    add: async (bytes, givenMs) => {
      const head = headOf(bytes);
      const row = encode({ ...head, givenMs, state: 'waits', bytes });
      await records.write([...(await latestChanges(records, head.number)), [keyOf(head.number), row]]);
    },
    note: async (number, state) => {
      const row = await records.get(keyOf(number));
      if (row !== undefined) await records.write([[keyOf(number), encode({ ...decode(row), state })]]);
    },
    learn: async ({ lastNotice, notices }, oldestDay) => {
      const known = await lastNumber();
      if (lastNotice <= known) return;
      const learned = notices
        .map((bytes) => ({ ...headOf(bytes), givenMs: 0, state: 'logged' as const, bytes }))
        .filter(({ number, day }) => number > known && day >= oldestDay);
      await records.write([...(await latestChanges(records, lastNotice)), ...learned.map(rowOf)]);
    },
    remove: async (numbers) => {
      const changes = await latestChanges(records, await lastNumber());
      await records.write([...changes, ...numbers.map((number) => [keyOf(number), undefined] as const)]);
    },
  };
}

const rowOf = (given: GivenNotice): RecordChange => [keyOf(given.number), encode(given)];

/** Of earlier versions: the newest notice, which had no row of its own. */
async function olderOf(records: RecordStore): Promise<GivenNotice | undefined> {
  const latest = await records.get(LATEST);
  if (latest === undefined || latest.length === NUMBER_BYTES) return undefined;
  const bytes = new Uint8Array(latest.subarray(NUMBER_BYTES));
  return { ...headOf(bytes), givenMs: 0, state: 'logged', bytes };
}

/** The number alone stays, and a notice that stood behind it gets a row. */
async function latestChanges(records: RecordStore, number: number): Promise<readonly RecordChange[]> {
  const one = await olderOf(records);
  const row: RecordChange[] = one === undefined ? [] : [[keyOf(one.number), encode(one)]];
  return [...row, [LATEST, new ByteWriter(NUMBER_BYTES).u32(number).finish()]];
}

function headOf(bytes: Uint8Array): Pick<GivenNotice, 'day' | 'number'> {
  const { day, number } = readNoticeHead(bytes);
  return { day, number };
}

function encode({ state, givenMs, bytes }: GivenNotice): Uint8Array {
  return concat(new ByteWriter(HEAD_BYTES).u8(STATES.indexOf(state)).u64(givenMs).finish(), bytes);
}

function decode(row: Uint8Array): GivenNotice {
  const reader = new ByteReader(row, 'a notice record');
  const state = STATES[reader.u8()];
  if (state === undefined) throw new FirebreakError('format', 'a notice record of another version');
  const givenMs = reader.u64();
  const bytes = new Uint8Array(row.subarray(HEAD_BYTES));
  return { ...headOf(bytes), givenMs, state, bytes };
}
