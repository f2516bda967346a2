/**
 * Which tag numbers are given, and for which days and epoch keys credentials were issued (protocol.md §3, §7). A number is
 * given again only by name, at the desk, and when no day issued for it reaches today.
 *
 *     number/<tag>        nothing
 *     days/<tag>/<day>    H(96 epoch public keys of the day) 32; of earlier versions followed by another 32
 *     asked/<tag>/<day>   H(request) 32 of each request of the tag that was answered first on this day
 *     first/<H>           tag number u48 || day u32, H of epoch public keys for the first day of an enrolment
 *
 * Tag numbers are 12 hex digits, days 8. Days are forgotten when they leave the retention window, numbers never.
 *
 * The last 2^40 numbers cannot be wished for: whatever a desk gives out by hand, there are free ones above it.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { asTagNumber, type TagNumber } from '../../protocol/brands.js';
import { ByteReader, ByteWriter, concat, equalBytes, toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { lastNumberIn, numberInKey } from '../records/keys.js';
import type { RecordChange, RecordStore } from '../records/records.js';

/** Changes in one write when days are forgotten. */
const FORGET_AT_ONCE = 4096;
/** Rows looked through between two breaths. */
const ROWS_AT_ONCE = 256;
/** That a desk may give by hand. */
export const HIGHEST_WISH = 2 ** 48 - 2 ** 40 - 1;
const HIGHEST_NUMBER = 2 ** 48 - 1;
const HASH_BYTES = 32;

/** H(96 epoch public keys), which a day's credentials certify, by day. */
export type IssuedDays = ReadonlyMap<number, Uint8Array>;

/** A request that was answered for the first time. */
export interface AnsweredRequest {
  readonly onDay: number;
  readonly requestHash: Uint8Array;
  /** The first of them first. */
  readonly days: IssuedDays;
}

/** Whether no credential of a tag reaches today: it has none to renew with. */
export const hasLapsed = (issued: IssuedDays, today: number): boolean =>
  [...issued.keys()].every((day) => day < today);

export interface TagRegistry {
  /** Days issued to a tag that are not forgotten; `undefined` for a number never given. */
  issuedDays(tag: TagNumber): Promise<IssuedDays | undefined>;
  /** Who enrolled with these keys of its first day. */
  enrolledWith(keysHash: Uint8Array): Promise<TagNumber | undefined>;
  /** Whether this request of the tag was answered before, on a day that is not forgotten. */
  wasAnswered(tag: TagNumber, requestHash: Uint8Array): Promise<boolean>;
  /** How many requests of the tag were answered first on this day. */
  answeredOn(tag: TagNumber, day: number): Promise<number>;
  /** A number above all given ones, and never the same twice. Throws `full` when there is none. */
  nextFree(): Promise<TagNumber>;
  /** Adds a request and its days; durable when it resolves. */
  record(tag: TagNumber, request: AnsweredRequest): Promise<void>;
  /**
   * Forgets days before this one. It reads through all there is, and takes its time; whatever is asked from the call on is
   * answered as if they were forgotten. Rejects with the signal's reason.
   */
  forgetBefore(day: number, signal: AbortSignal): Promise<void>;
  /** How many numbers are given. */
  count(): Promise<number>;
}

export function tagRegistry(records: RecordStore): TagRegistry {
  let highest = 0;
  /** Rows of days before this one count as forgotten. */
  let oldest = 0;
  return {
    issuedDays: (tag) => issuedDays(records, tag, oldest),
    enrolledWith: async (keysHash) => {
      const value = await records.get(firstKey(keysHash));
      const first = value && decodeFirst(value);
      return first && first.day >= oldest ? first.tag : undefined;
    },
    wasAnswered: async (tag, requestHash) => {
      for await (const [key, hashes] of records.list(`asked/${tagHex(tag)}/`))
        if (lastNumberIn(key) >= oldest && hashesIn(hashes).some((hash) => equalBytes(hash, requestHash)))
          return true;
      return false;
    },
    answeredOn: async (tag, day) => hashesIn(await records.get(askedKey(tag, day))).length,
    nextFree: async () => {
      const last = await records.lastKey('number/');
      highest = Math.max(highest, last === undefined ? 0 : lastNumberIn(last)) + 1;
      if (highest <= HIGHEST_NUMBER) return asTagNumber(highest);
      throw new FirebreakError('full', 'the highest tag number is taken; give the tag a number by hand');
    },
    record: (tag, request) => record(records, tag, request),
    forgetBefore: async (day, signal) => {
      oldest = day;
      const isOfOldDay: IsOld = (key) => lastNumberIn(key) < day;
      await forget(records, 'days/', isOfOldDay, signal);
      await forget(records, 'asked/', isOfOldDay, signal);
      await forget(records, 'first/', (_key, value) => decodeFirst(value).day < day, signal);
    },
    count: () => records.count('number/'),
  };
}

async function issuedDays(
  records: RecordStore,
  tag: TagNumber,
  oldest: number,
): Promise<IssuedDays | undefined> {
  if ((await records.get(numberKey(tag))) === undefined) return undefined;
  const issued = new Map<number, Uint8Array>();
  for await (const [key, value] of records.list(`days/${tagHex(tag)}/`)) {
    const day = lastNumberIn(key);
    if (day >= oldest) issued.set(day, new ByteReader(value, 'a registry record').take(HASH_BYTES));
  }
  return issued;
}

async function record(
  records: RecordStore,
  tag: TagNumber,
  { onDay, requestHash, days }: AnsweredRequest,
): Promise<void> {
  const changes: RecordChange[] = [...days].map(([day, keysHash]) => [dayKey(tag, day), keysHash]);
  const asked = askedKey(tag, onDay);
  changes.push([asked, concat((await records.get(asked)) ?? new Uint8Array(0), requestHash)]);
  const [first] = days;
  if (first && hasLapsed((await issuedDays(records, tag, onDay)) ?? new Map(), onDay)) {
    changes.push([numberKey(tag), new Uint8Array(0)]);
    changes.push([firstKey(first[1]), new ByteWriter(10).u48(tag).u32(first[0]).finish()]);
  }
  await records.write(changes);
}

const tagHex = (tag: TagNumber) => tag.toString(16).padStart(12, '0');
const numberKey = (tag: TagNumber) => `number/${tagHex(tag)}`;
const dayKey = (tag: TagNumber, day: number) => `days/${tagHex(tag)}/${numberInKey(day)}`;
const askedKey = (tag: TagNumber, day: number) => `asked/${tagHex(tag)}/${numberInKey(day)}`;
const firstKey = (keysHash: Uint8Array) => `first/${toHex(keysHash)}`;

function hashesIn(value: Uint8Array | undefined): Uint8Array[] {
  const count = (value?.length ?? 0) / HASH_BYTES;
  return Array.from({ length: count }, (_, k) =>
    new Uint8Array(value ?? []).slice(k * HASH_BYTES, (k + 1) * HASH_BYTES),
  );
}

function decodeFirst(value: Uint8Array): { tag: TagNumber; day: number } {
  const reader = new ByteReader(value, 'a registry record');
  return { tag: asTagNumber(reader.u48()), day: reader.u32() };
}

type IsOld = (key: string, value: Uint8Array) => boolean;

async function forget(
  records: RecordStore,
  prefix: string,
  isOld: IsOld,
  signal: AbortSignal,
): Promise<void> {
  let changes: RecordChange[] = [];
  let rows = 0;
  for await (const [key, value] of records.list(prefix)) {
    signal.throwIfAborted();
    if (isOld(key, value)) changes.push([key, undefined]);
    if ((rows += 1) % ROWS_AT_ONCE === 0) await breathe();
    if (changes.length < FORGET_AT_ONCE) continue;
    await records.write(changes);
    changes = [];
  }
  if (changes.length > 0) await records.write(changes);
}
