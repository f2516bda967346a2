/**
 * Giving notices (protocol.md §7, §9, §10 type 8): numbered, in the ledger before they go out, and on offer as long as a
 * tag could know itself in them.
 *
 * Crash cases. A notice is in the book before its entry is posted, so that no number is given twice. One that the ledger
 * had not answered when the authority ended is posted again at the next start: it may then be in the log twice, the same
 * notice both times.
 */
import type { PostedEntry } from '../../courier/courier.js';
import { unlessAborted } from '../../host/time-limit.js';
import type { TagNumber } from '../../protocol/brands.js';
import type { Clock } from '../../protocol/clock.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { DayKeys } from '../../protocol/keys.js';
import type { Log } from '../../protocol/log.js';
import { MAX_NOTICES, MAX_NOTICES_BYTES, withinBounds } from '../../protocol/tag/notice-list.js';
import type { DayKeyring } from '../days/day-keys.js';
import type { AuthorityEntries } from '../entries.js';
import { keyedLock } from '../credentials/keyed-lock.js';
import type { GivenNotice, NoticeBook, NoticeState } from './notice-book.js';
import { makeNotice } from './notices.js';
import type { StatementBook } from '../statement-book.js';
import type { TagRegistry } from '../credentials/tag-registry.js';

/** The largest power of two of tokens whose notice is no longer than a ledger payload may be (64 KiB). */
export const MAX_NOTICE_TAGS = 4096;
/** Tag numbers named in one sentence. */
const MAX_NAMED = 10;
const LOCK = 'notices';

export interface NoticeOrder {
  /** The day whose first epoch's auth keys the tags look for: one on which they are enrolled, as a rule today. */
  readonly day: number;
  readonly code: number;
  /** At most 4,096, each enrolled at some time. */
  readonly tags: readonly TagNumber[];
  /** Takes the oldest notices off when there is no room for one more. */
  readonly dropOldest?: boolean;
}

/** A notice that is given: it goes out once it is in the log. */
export interface Notified {
  readonly number: number;
  readonly notice: Uint8Array;
  /** Meant, but without credentials of that day, as far as the registry knows: their tags cannot tell. */
  readonly unreachable: readonly TagNumber[];
  /** Numbers of notices that made room for it. */
  readonly dropped: readonly number[];
  /** With this one, not refused by the ledger. */
  readonly held: number;
  readonly heldBytes: number;
}

export interface NoticeDesk {
  /**
   * Resolves when the notice is on disk here. Throws `not-found` for a tag that was never enrolled or a day without keys,
   * `day` for a day whose keys are lost here, `full` for too many tags or when there is no room: nothing was done then.
   */
  publish(order: NoticeOrder): Promise<Notified>;
  /** What the ledger said to a notice by the time it answered or the signal aborted. */
  answered(number: number, signal: AbortSignal): Promise<NoticeState>;
  /** Posts again, once, what an earlier run left without an answer. Never rejects. */
  resume(): Promise<void>;
  /** Forgets the notices of days before `day`: no tag has the key by which it knew itself in them. */
  forgetBefore(day: number): Promise<void>;
  /** Waits for no answer any more. */
  close(): void;
}

export interface NoticeDeskDeps {
  readonly issuer: Signer;
  readonly keyring: Pick<DayKeyring, 'existingKeysOf'>;
  readonly statements: Pick<StatementBook, 'wasMade'>;
  readonly tags: Pick<TagRegistry, 'issuedDays'>;
  readonly book: NoticeBook;
  readonly entries: AuthorityEntries;
  readonly clock: Clock;
  readonly log: Log;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Called when what tags are to be offered is another. */
  readonly onChange: () => void;
}

export function noticeDesk(deps: NoticeDeskDeps): NoticeDesk {
  return new Desk(deps);
}

class Desk implements NoticeDesk {
  readonly #deps: NoticeDeskDeps;
  readonly #lock = keyedLock();
  readonly #closing = new AbortController();
  /** Posted, not answered yet. */
  readonly #underWay = new Map<number, Promise<void>>();
  #isResumed = false;
  #isSaid = false;

  constructor(deps: NoticeDeskDeps) {
    this.#deps = deps;
  }

  publish(order: NoticeOrder): Promise<Notified> {
    return this.#lock.run(LOCK, () => this.#publish(order));
  }

  async answered(number: number, signal: AbortSignal): Promise<NoticeState> {
    const answer = unlessAborted(Promise.resolve(this.#underWay.get(number)), signal);
    await unlessAborted(answer, this.#closing.signal).catch(() => undefined); // it has not come by then
    const given = (await this.#deps.book.list()).find((one) => one.number === number);
    return given?.state ?? 'waits';
  }

  async resume(): Promise<void> {
    if (this.#isResumed) return;
    try {
      await this.#lock.run(LOCK, () => this.#postWaiting());
      this.#isResumed = true;
    } catch (error) {
      const what = 'notices that wait for the ledger cannot be sent; trying again';
      if (!this.#isSaid) this.#deps.log.error(what, { why: asError(error).message });
      this.#isSaid = true;
    }
  }

  forgetBefore(day: number): Promise<void> {
    return this.#lock.run(LOCK, async () => {
      const { book, onChange } = this.#deps;
      const old = (await book.list()).filter((given) => given.day < day);
      if (old.length === 0) return;
      await book.remove(old.map(({ number }) => number));
      onChange();
    });
  }

  close(): void {
    this.#closing.abort();
  }

  async #publish(order: NoticeOrder): Promise<Notified> {
    const { issuer, book, clock, log, randomBytes } = this.#deps;
    const { day, code, tags } = order;
    if (tags.length > MAX_NOTICE_TAGS)
      throw new FirebreakError('full', `a notice names at most ${MAX_NOTICE_TAGS} tags, not ${tags.length}`);
    const unreachable = await this.#withoutCredentials(order);
    const number = (await book.lastNumber()) + 1;
    const keys = await this.#keysOf(day); // last of all, since they may be wiped a moment later
    const notice = makeNotice(issuer, keys, { number, code, tags }, randomBytes);
    const { kept, dropped } = await this.#makeRoom(notice, order.dropOldest === true);
    await book.add(notice, clock.nowMs());
    try {
      await this.#post(number, notice);
    } catch (error) {
      await book.remove([number]);
      throw error;
    }
    if (dropped.length > 0) await book.remove(dropped);
    log.info('notice given; it goes out once it is in the log', { number, day, code });
    const heldBytes = kept.reduce((sum, { bytes }) => sum + bytes.length, notice.length);
    return { number, notice, unreachable, dropped, held: kept.length + 1, heldBytes };
  }

  /** Throws `not-found` for a day without keys, `day` for one whose keys were made and cannot be read or are gone. */
  async #keysOf(day: number): Promise<DayKeys> {
    const { keyring, statements } = this.#deps;
    try {
      return await keyring.existingKeysOf(day);
    } catch (cause) {
      const code = cause instanceof FirebreakError ? cause.code : undefined;
      const isLost = code === 'damaged' || (code === 'not-found' && (await statements.wasMade(day)));
      if (!isLost) throw cause;
      throw new FirebreakError(
        'day',
        `the keys of day ${day} are lost here, and no notice of that day can be given: nothing was done. Put their file back if it is elsewhere (docs/retention.md)`,
        { cause },
      );
    }
  }

  /** Those of the tags that have no credentials of the day. Throws `not-found` when one was never enrolled. */
  async #withoutCredentials({ day, tags }: NoticeOrder): Promise<TagNumber[]> {
    const unknown: TagNumber[] = [];
    const without: TagNumber[] = [];
    for (const tag of new Set(tags)) {
      const issued = await this.#deps.tags.issuedDays(tag);
      if (issued === undefined) unknown.push(tag);
      else if (!issued.has(day)) without.push(tag);
    }
    if (unknown.length === 0) return without;
    const more = unknown.length > MAX_NAMED ? `, and ${unknown.length - MAX_NAMED} more,` : '';
    const named = `${unknown.slice(0, MAX_NAMED).join(', ')}${more}`;
    const who =
      unknown.length === 1 ? `no tag ${named} was ever enrolled` : `no tags ${named} were ever enrolled`;
    throw new FirebreakError('not-found', `${who}: nothing was done`);
  }

  /** The notices that stay beside a new one, and the numbers of those that must go. Throws `full` when none may. */
  async #makeRoom(
    notice: Uint8Array,
    dropOldest: boolean,
  ): Promise<{ kept: GivenNotice[]; dropped: number[] }> {
    const held = (await this.#deps.book.list()).filter(({ state }) => state !== 'refused');
    const all = [{ bytes: notice }, ...held];
    const kept = held.slice(0, withinBounds(all, ({ bytes }) => bytes.length).length - 1);
    const dropped = held.slice(kept.length).map(({ number }) => number);
    if (dropped.length === 0 || dropOldest) return { kept, dropped };
    throw new FirebreakError(
      'full',
      `there is no room for one more notice, and nothing was done: tags are offered at most ${MAX_NOTICES} notices and ` +
        `${MAX_NOTICES_BYTES} bytes of them, each for as long as a tag can know itself in it. Name more tags in one notice, ` +
        `or take the oldest off (notices ${dropped.toReversed().join(', ')}) with --drop-oldest: tags that have met no gateway since would not be warned`,
    );
  }

  async #postWaiting(): Promise<void> {
    for (const { number, state, bytes } of await this.#deps.book.list())
      if (state === 'waits' && !this.#underWay.has(number)) await this.#post(number, bytes);
  }

  async #post(number: number, notice: Uint8Array): Promise<void> {
    const posted = await this.#deps.entries.noticePublished(notice);
    this.#underWay.set(
      number,
      this.#answer(number, posted).finally(() => this.#underWay.delete(number)),
    );
  }

  /** Never rejects: without an answer the notice is posted again at the next start. */
  async #answer(number: number, posted: PostedEntry): Promise<void> {
    const { log, onChange } = this.#deps;
    const { signal } = this.#closing;
    try {
      const delivery = await posted.delivered(signal);
      if (signal.aborted) return;
      const isLogged = delivery.index !== undefined;
      await this.#note(number, isLogged ? 'logged' : 'refused');
      if (isLogged) log.info('notice published', { number, entry: delivery.index });
      else
        log.error('the ledger refused a notice: nobody is warned by it', {
          number,
          reason: delivery.refusal,
        });
      if (isLogged) onChange();
    } catch (error) {
      if (!signal.aborted) log.warn('no answer to a notice', { number, why: asError(error).message });
    }
  }

  #note(number: number, state: NoticeState): Promise<void> {
    return this.#lock.run(LOCK, () => this.#deps.book.note(number, state));
  }
}
