/**
 * The authority's day keys (protocol.md §3): one independent random set a day, made ahead for the days that credentials
 * are issued for, stated in the ledger and to all, and destroyed when the day leaves the retention window.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { FirebreakError } from '../../protocol/errors.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { wipeKeys, type DayKeys } from '../../protocol/keys.js';
import type { Log } from '../../protocol/log.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import type { CopySearch, DayKeyStore } from './day-key-store.js';
import type { AuthorityEntries } from '../entries.js';
import { stateDayKey } from '../issuer.js';
import { keyedLock } from '../credentials/keyed-lock.js';
import { KeysAtHand } from './keys-at-hand.js';
import type { RetentionBook } from './retention-book.js';
import type { StatementBook } from '../statement-book.js';

/** Code `damaged`: others know the keys of a day, and here they cannot be read or are gone. */
export class LostDayKeys extends FirebreakError {}

export interface DayKeyring {
  /**
   * The keys of a day, made and stated if it had none. Throws `day` after the sunset and for destroyed ones, LostDayKeys when
   * they were made before and cannot be read. They are to be used before anything else is waited for: those at hand are
   * wiped when the day is destroyed, or makes room for another.
   */
  keysOf(day: number): Promise<DayKeys>;
  /** The keys of a day that has some, as {@link keysOf} gives them. Throws `not-found`. */
  existingKeysOf(day: number): Promise<DayKeys>;
  /**
   * Destroys the keys of days before this one, and of those whose destruction the log was told of already. A day before this one
   * whose keys are lost counts as destroyed too: else its payloads would stay for ever. One whose keys cannot be read now waits
   * for the next call.
   */
  destroyBefore(day: number): Promise<DestroyedDays>;
  days(): Promise<readonly number[]>;
}

export interface DestroyedDays {
  readonly destroyed: readonly number[];
  /** Destroyed before: somebody brought a copy back. */
  readonly returned: readonly number[];
  /** Days whose keys cannot be read now, and why: they have not ended. */
  readonly unread: ReadonlyMap<number, Error>;
  /** What the search for copies of their keys came to; `undefined` when there were no such days. */
  readonly copies: CopySearch | undefined;
}

export interface DayKeyringDeps {
  readonly issuer: Signer;
  readonly store: DayKeyStore;
  readonly book: StatementBook;
  readonly retention: RetentionBook;
  readonly entries: AuthorityEntries;
  readonly randomBytes: (length: number) => Uint8Array;
  /** No keys are made from this day on: the day tracing ends (protocol.md §1). */
  readonly sunsetDay: number | undefined;
  readonly log: Log;
  /** A day was stated or taken back. */
  readonly onChange: () => void;
}

export function newDayKeys(day: number, randomBytes: (length: number) => Uint8Array): DayKeys {
  const sealing = x25519KeyPair(randomBytes(32));
  return {
    day,
    idKey: randomBytes(32),
    macKey: randomBytes(32),
    sealingSecretKey: sealing.secretKey,
    sealingPublicKey: sealing.publicKey,
  };
}

export function openDayKeyring(deps: DayKeyringDeps): DayKeyring {
  const { store } = deps;
  const atHand = new KeysAtHand();
  const lock = keyedLock();

  /** Of the days before this one the book has none left. */
  let forgotten: number | undefined;
  const oneAtATime = <T>(day: number, task: () => Promise<T>) => lock.run(String(day), task);

  return {
    days: () => store.list(),
    keysOf: async (day) =>
      atHand.of(day) ??
      oneAtATime(day, async () => atHand.of(day) ?? atHand.keep(await makeIfMissing(day, deps))),
    existingKeysOf: async (day) => {
      const keys = atHand.of(day) ?? (await store.get(day));
      if (keys) return keys;
      throw new FirebreakError('not-found', `there are no keys of day ${day}: never made, or destroyed`);
    },
    destroyBefore: async (bound) => {
      const told = new Set((await deps.retention.list()).map(({ day }) => day));
      const held = (await store.list()).filter((day) => day < bound || told.has(day));
      const unread = await unreadOf(held, store);
      const old = held.filter((day) => !unread.has(day));
      if (bound !== forgotten) old.push(...(await lostBefore(bound, told, deps)));
      for (const day of old) await oneAtATime(day, () => tellDestroyed(day, deps));
      const copies = old.length === 0 ? undefined : await destroy(old, store, atHand);
      if (bound !== forgotten) await deps.book.forgetDaysBefore(Math.min(bound, ...unread.keys()));
      if (unread.size === 0) forgotten = bound;
      if (old.length > 0) deps.onChange();
      return {
        destroyed: old.filter((day) => !told.has(day)),
        returned: old.filter((day) => told.has(day)),
        unread,
        copies,
      };
    },
  };
}

async function unreadOf(days: readonly number[], store: DayKeyStore): Promise<Map<number, Error>> {
  const unread = new Map<number, Error>();
  for (const day of days) {
    const why = await store.whyUnread(day);
    if (why !== undefined) unread.set(day, why);
  }
  return unread;
}

async function destroy(days: readonly number[], store: DayKeyStore, atHand: KeysAtHand): Promise<CopySearch> {
  const given = atHand.giveUp(days);
  try {
    return await store.destroy(days);
  } finally {
    given.push(...atHand.giveUp(days)); // read again before the store destroyed them
    await breathe();
    wipeKeys(given);
  }
}

/** The days before this one whose keys others may know, of which no file is left and the log was told nothing. */
async function lostBefore(
  bound: number,
  told: ReadonlySet<number>,
  { store, book }: DayKeyringDeps,
): Promise<number[]> {
  const held = new Set(await store.list());
  return (await book.madeDays()).filter((day) => day < bound && !told.has(day) && !held.has(day));
}

/**
 * Keys are on disk before they are noted as made, and that before they are stated. After a crash in between, the next call
 * states them: a day can be stated in the ledger twice, never with two keys.
 */
async function makeIfMissing(day: number, deps: DayKeyringDeps): Promise<DayKeys> {
  const keys = (await wholeKeysOf(day, deps)) ?? (await make(day, deps));
  if ((await deps.book.statementOf(day)) !== undefined) return keys;
  await deps.book.noteMade(day);
  const statement = stateDayKey(deps.issuer, keys);
  await deps.entries.dayKeyPublished(statement);
  await deps.book.addDayKeyStatement(day, statement);
  deps.onChange();
  return keys;
}

/**
 * The keys of a day that has some. What a crash left of keys that nobody was told of is set aside; keys that others may know
 * are never replaced. Throws LostDayKeys when those cannot be read or are gone, `day` when they are destroyed.
 */
async function wholeKeysOf(
  day: number,
  { store, book, retention, log }: DayKeyringDeps,
): Promise<DayKeys | undefined> {
  try {
    const keys = await store.get(day);
    if (keys !== undefined || !(await book.wasMade(day))) return keys;
  } catch (cause) {
    if (!(cause instanceof FirebreakError) || cause.code !== 'damaged') throw cause;
    if (await book.wasMade(day)) throw toRestore(`they are damaged (${cause.message})`, day, cause);
    await store.setAside(day);
    log.warn('what was left of day keys that were never used is set aside', { day, why: cause.message });
    return undefined;
  }
  if (await retention.find(day)) throw new FirebreakError('day', `the keys of day ${day} are destroyed`);
  throw toRestore('they are gone', day);
}

const toRestore = (what: string, day: number, cause?: unknown) =>
  new LostDayKeys(
    'damaged',
    `others know the keys of day ${day}, and here ${what}: no second ones are made. Put the file back if it is elsewhere; ` +
      'if it is lost, that day gets no credentials and its reports stay closed (docs/retention.md)',
    { cause },
  );

async function make(day: number, { store, randomBytes, sunsetDay }: DayKeyringDeps): Promise<DayKeys> {
  if (sunsetDay !== undefined && day >= sunsetDay) {
    throw new FirebreakError(
      'day',
      `no keys are made for day ${day}: this deployment ends on day ${sunsetDay}`,
    );
  }
  const keys = newDayKeys(day, randomBytes);
  await store.put(keys);
  return keys;
}

/**
 * The entry is on disk first, then the note that it is, then the keys go. After a crash in between, the next call does
 * what is left; an entry sent twice is in the log once.
 */
async function tellDestroyed(day: number, { entries, retention }: DayKeyringDeps): Promise<void> {
  if ((await retention.find(day)) !== undefined) return;
  await entries.dayKeyDestroyed(day);
  await retention.noteDestroyed(day);
}
