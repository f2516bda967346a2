/**
 * Which tag numbers are given, and for which days and epoch keys credentials were issued (protocol.md §3, §7). A number is
 * never given twice.
 *
 *     number/<tag>        nothing
 *     days/<tag>/<day>    H(96 epoch public keys of the day) 32 || H(request) 32 of the request they were issued for
 *     first/<H>           tag number u48 || day u32, H as above for the first day of a first enrolment
 *
 * Tag numbers are 12 hex digits, days 8. Days are forgotten when they leave the retention window, numbers never.
 */
import { asTagNumber, type TagNumber } from '../protocol/brands.js';
import { ByteReader, ByteWriter, concat, toHex } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import type { RecordChange, RecordStore } from './records.js';

/** Changes in one write when days are forgotten. */
const FORGET_AT_ONCE = 4096;
const HIGHEST_NUMBER = 2 ** 48 - 1;

export interface IssuedDay {
  /** H(96 epoch public keys), which the day's credentials certify. */
  readonly keysHash: Uint8Array;
  readonly requestHash: Uint8Array;
}

export type IssuedDays = ReadonlyMap<number, IssuedDay>;

export interface TagRegistry {
  /** Days issued to a tag that are not forgotten; `undefined` for a number never given. */
  issuedDays(tag: TagNumber): Promise<IssuedDays | undefined>;
  /** Who enrolled first with these keys of its first day. */
  enrolledWith(keysHash: Uint8Array): Promise<TagNumber | undefined>;
  /** A number above all given ones, and never the same twice. Throws `full` when there is none. */
  nextFree(): Promise<TagNumber>;
  /** Adds days, the first of them first; durable when it resolves. */
  record(tag: TagNumber, issued: IssuedDays): Promise<void>;
  forgetBefore(day: number): Promise<void>;
  /** How many numbers are given. */
  count(): Promise<number>;
}

export function tagRegistry(records: RecordStore): TagRegistry {
  let highest = 0;
  return {
    issuedDays: (tag) => issuedDays(records, tag),
    enrolledWith: async (keysHash) => {
      const value = await records.get(firstKey(keysHash));
      return value && decodeFirst(value).tag;
    },
    nextFree: async () => {
      const last = await records.lastKey('number/');
      highest = Math.max(highest, last === undefined ? 0 : lastHex(last)) + 1;
      if (highest <= HIGHEST_NUMBER) return asTagNumber(highest);
      throw new FirebreakError('full', 'the highest tag number is taken; give the tag a number by hand');
    },
    record: (tag, issued) => record(records, tag, issued),
    forgetBefore: async (day) => {
      await forget(records, 'days/', (key) => lastHex(key) < day);
      await forget(records, 'first/', (_key, value) => decodeFirst(value).day < day);
    },
    count: () => records.count('number/'),
  };
}

async function issuedDays(records: RecordStore, tag: TagNumber): Promise<IssuedDays | undefined> {
  if ((await records.get(numberKey(tag))) === undefined) return undefined;
  const issued = new Map<number, IssuedDay>();
  for await (const [key, value] of records.list(`days/${tagHex(tag)}/`))
    issued.set(lastHex(key), decodeIssuedDay(value));
  return issued;
}

async function record(records: RecordStore, tag: TagNumber, issued: IssuedDays): Promise<void> {
  const days = [...issued];
  const changes: RecordChange[] = days.map(([day, kept]) => [
    dayKey(tag, day),
    concat(kept.keysHash, kept.requestHash),
  ]);
  const [first] = days;
  if (first && (await records.get(numberKey(tag))) === undefined) {
    changes.push([numberKey(tag), new Uint8Array(0)]);
    changes.push([firstKey(first[1].keysHash), new ByteWriter(10).u48(tag).u32(first[0]).finish()]);
  }
  await records.write(changes);
}

const tagHex = (tag: TagNumber) => tag.toString(16).padStart(12, '0');
const numberKey = (tag: TagNumber) => `number/${tagHex(tag)}`;
const dayKey = (tag: TagNumber, day: number) => `days/${tagHex(tag)}/${day.toString(16).padStart(8, '0')}`;
const firstKey = (keysHash: Uint8Array) => `first/${toHex(keysHash)}`;
const lastHex = (key: string) => Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 16);

function decodeIssuedDay(value: Uint8Array): IssuedDay {
  const reader = new ByteReader(value, 'a registry record');
  return { keysHash: reader.take(32), requestHash: reader.take(32) };
}

function decodeFirst(value: Uint8Array): { tag: TagNumber; day: number } {
  const reader = new ByteReader(value, 'a registry record');
  return { tag: asTagNumber(reader.u48()), day: reader.u32() };
}

async function forget(
  records: RecordStore,
  prefix: string,
  isOld: (key: string, value: Uint8Array) => boolean,
): Promise<void> {
  let changes: RecordChange[] = [];
  for await (const [key, value] of records.list(prefix)) {
    if (isOld(key, value)) changes.push([key, undefined]);
    if (changes.length < FORGET_AT_ONCE) continue;
    await records.write(changes);
    changes = [];
  }
  if (changes.length > 0) await records.write(changes);
}
