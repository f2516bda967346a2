/**
 * The notices on offer (protocol.md §12, §13): on the retained topic, and from a gateway to a tag. One after the other,
 * each as signed; its head says where it ends. The newest comes first, since a session may end before the last is read.
 *
 *     notice || notice || …      at most 256, and 262,224 bytes in all; none: no bytes
 */
import { concat } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { NOTICE_HEAD_BYTES, readNoticeHead } from './notice.js';
import { MAX_TOTAL_BYTES } from '../session/refresh.js';

/** A tag verifies each of them at each visit. */
export const MAX_NOTICES = 256;
/** What a tag reads of one kind in a session. */
export const MAX_NOTICES_BYTES = MAX_TOTAL_BYTES;

export interface NoticesRead {
  readonly notices: readonly Uint8Array[];
  /** The beginning of a notice whose end has not come yet. */
  readonly rest: Uint8Array;
}

/** Throws `size` over a bound. */
export function joinNotices(notices: readonly Uint8Array[]): Uint8Array {
  const list = concat(...notices);
  requireBounds(notices.length, list.length);
  return list;
}

/** Verifies none of them. Throws `format` for a list that ends within a notice, `size` over a bound. */
export function splitNotices(list: Uint8Array): readonly Uint8Array[] {
  const { notices, rest } = readNotices(list);
  if (rest.length > 0) throw new FirebreakError('format', 'a notice ends too early');
  requireBounds(notices.length, list.length);
  return notices;
}

/** What is whole of the beginning of a list. Verifies nothing. */
export function readNotices(bytes: Uint8Array): NoticesRead {
  const notices: Uint8Array[] = [];
  let rest = bytes;
  while (rest.length >= NOTICE_HEAD_BYTES) {
    const { totalBytes } = readNoticeHead(rest.subarray(0, NOTICE_HEAD_BYTES));
    if (rest.length < totalBytes) break;
    notices.push(rest.slice(0, totalBytes));
    rest = rest.subarray(totalBytes);
  }
  return { notices, rest };
}

/** Of notices in their order the first ones, as many as may be on offer at once. */
export function withinBounds<T>(notices: readonly T[], bytesOf: (notice: T) => number): readonly T[] {
  let bytes = 0;
  const end = notices.findIndex(
    (notice, k) => k >= MAX_NOTICES || (bytes += bytesOf(notice)) > MAX_NOTICES_BYTES,
  );
  return end < 0 ? notices : notices.slice(0, end);
}

function requireBounds(count: number, bytes: number): void {
  if (count > MAX_NOTICES || bytes > MAX_NOTICES_BYTES)
    throw new FirebreakError(
      'size',
      `at most ${MAX_NOTICES} notices are on offer, and ${MAX_NOTICES_BYTES} bytes of them`,
    );
}
