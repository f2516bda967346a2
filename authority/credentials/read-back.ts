/**
 * Takes up from the log what the registry does not know: it does when the authority's folder was put back from an older copy.
 * Until the log was read, no notice is given, whose number could be another's, and no gateway certified, which may be revoked.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { GatewayRegister } from '../gateways.js';
import type { NoticeBook } from '../notices/notice-book.js';
import type { OwnWords } from '../records/own-words.js';

export interface ReadBack {
  /** Takes up what the log has, once it is read, but no notice of a day before `oldestDay`; nothing after that. */
  look(oldestDay: number): Promise<void>;
  isDone(): boolean;
  /** Throws `closed` while the log is not read. */
  require(): void;
  /** As what is sought; where it is `not-found` while the log is not read, rejects `closed`: the log may know it. */
  orUnread<T>(sought: Promise<T>): Promise<T>;
}

export interface ReadBackDeps {
  /** `undefined` until the log was read; absent where no log is read. */
  readonly ownWords?: () => OwnWords | undefined;
  readonly notices: NoticeBook;
  readonly gateways: Pick<GatewayRegister, 'learn'>;
  readonly log: Log;
  /** Called when tags or gateways are to be told something else. */
  readonly onChange: () => void;
}

export function openReadBack({ ownWords, notices, gateways, log, onChange }: ReadBackDeps): ReadBack {
  let isDone = ownWords === undefined;
  const requireRead = (): void => {
    if (!isDone) throw new FirebreakError('closed', UNREAD);
  };
  return {
    isDone: () => isDone,
    require: requireRead,
    orUnread: (sought) =>
      sought.catch((error: unknown) => {
        if (error instanceof FirebreakError && error.code === 'not-found') requireRead();
        throw error;
      }),
    look: async (oldestDay) => {
      const words = isDone ? undefined : ownWords?.();
      if (words === undefined) return;
      const known = await notices.lastNumber();
      await notices.learn(words, oldestDay);
      const learned = { gateways: await gateways.learn(words), notices: words.lastNotice > known };
      isDone = true;
      if (learned.gateways === 0 && !learned.notices) return;
      log.warn('this folder is older than the log: what it did not know was read from there', {
        noticesUpTo: Math.max(known, words.lastNotice),
        gateways: learned.gateways,
      });
      onChange();
    },
  };
}

const UNREAD =
  'the authority has not read the log yet, which says what an older copy of its folder does not know: nothing was done, try again in a minute';
