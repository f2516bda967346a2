/**
 * The notices a gateway offers to tags. It keeps each that it has heard of, whatever a broker leaves out later: one that is
 * behind, or in the hands of somebody who wants a warning unheard, takes none away. A notice goes when no tag could
 * know itself in it any more and its place is needed, and the oldest when there are more than may be on offer.
 */
import { equalBytes } from '../protocol/bytes.js';
import { joinNotices, splitNotices, withinBounds } from '../protocol/tag/notice-list.js';
import { openNotice, readNoticeHead } from '../protocol/tag/notice.js';

interface HeldNotice {
  readonly day: number;
  readonly number: number;
  readonly bytes: Uint8Array;
}

export class NoticeShelf {
  readonly #issuerPublicKey: Uint8Array;
  readonly #oldestDay: () => number;
  /** Newest first. */
  #held: readonly HeldNotice[] = [];

  /** `oldestDay`: in notices of that day and later a tag may still know itself. */
  constructor(issuerPublicKey: Uint8Array, oldestDay: () => number) {
    this.#issuerPublicKey = issuerPublicKey;
    this.#oldestDay = oldestDay;
  }

  /**
   * Takes what is new of a list, and says whether there was anything. `each` is given the notices one by one and what takes
   * one, which throws `issuer`, `signature` or `format`. Throws `format` or `size` for what is no list.
   */
  take(
    list: Uint8Array,
    each: (notices: readonly Uint8Array[], takeOne: (bytes: Uint8Array) => void) => void,
  ): boolean {
    const before = this.#held;
    each(splitNotices(list), (bytes) => this.#takeOne(bytes));
    return this.#held.some((held) => !before.includes(held));
  }

  /** All that are kept, as a list. */
  all(): Uint8Array {
    return joinNotices(this.#held.map(({ bytes }) => bytes));
  }

  /** Those in which a tag may still know itself. */
  onOffer(): readonly Uint8Array[] {
    const oldestDay = this.#oldestDay();
    return this.#held.filter(({ day }) => day >= oldestDay).map(({ bytes }) => bytes);
  }

  #takeOne(bytes: Uint8Array): void {
    const { day, number } = readNoticeHead(bytes);
    if (this.#held.some((held) => held.number === number && equalBytes(held.bytes, bytes))) return;
    openNotice(bytes, this.#issuerPublicKey);
    this.#held = this.#withinBounds([...this.#held, { day, number, bytes }]);
  }

  /** Numbers do not follow the days: one past the window must not take the place of one on offer. */
  #withinBounds(held: readonly HeldNotice[]): readonly HeldNotice[] {
    const oldestDay = this.#oldestDay();
    const isPast = ({ day }: HeldNotice): number => (day < oldestDay ? 1 : 0);
    const ranked = held.toSorted((one, other) => isPast(one) - isPast(other) || newestFirst(one, other));
    return withinBounds(ranked, ({ bytes }) => bytes.length).toSorted(newestFirst);
  }
}

const newestFirst = (one: HeldNotice, other: HeldNotice): number => other.number - one.number;
