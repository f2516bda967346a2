/** Publishing notices (protocol.md §7, §9, §10 type 8): numbered, in the ledger before they go out, the newest retained. */
import type { TagNumber } from '../protocol/brands.js';
import type { Signer } from '../protocol/ed25519.js';
import { FirebreakError } from '../protocol/errors.js';
import type { DayKeyring } from './day-keys.js';
import type { AuthorityEntries } from './entries.js';
import { keyedLock } from './keyed-lock.js';
import { makeNotice } from './notices.js';
import type { StatementBook } from './statement-book.js';

/** The largest power of two of tokens whose notice is no longer than a ledger payload may be (64 KiB). */
const MAX_TAGS = 4096;

export interface NoticeOrder {
  /** The day whose first epoch's auth keys the tags look for: one on which they are enrolled, as a rule today. */
  readonly day: number;
  readonly code: number;
  /** At most 4,096. */
  readonly tags: readonly TagNumber[];
}

export interface NoticeDesk {
  publish(order: NoticeOrder): Promise<Uint8Array>;
}

export function noticeDesk(deps: {
  readonly issuer: Signer;
  readonly keyring: DayKeyring;
  readonly book: StatementBook;
  readonly entries: AuthorityEntries;
  readonly randomBytes: (length: number) => Uint8Array;
}): NoticeDesk {
  const lock = keyedLock();

  async function publish({ day, code, tags }: NoticeOrder): Promise<Uint8Array> {
    if (tags.length > MAX_TAGS)
      throw new FirebreakError('full', `a notice names at most ${MAX_TAGS} tags, not ${tags.length}`);
    const keys = await deps.keyring.existingKeysOf(day);
    const number = ((await deps.book.latestNotice())?.number ?? 0) + 1;
    const notice = makeNotice(deps.issuer, keys, { number, code, tags }, deps.randomBytes);
    await deps.entries.noticePublished(notice);
    await deps.book.setLatestNotice({ number, notice });
    return notice;
  }

  return { publish: (order) => lock.run('notices', () => publish(order)) };
}
