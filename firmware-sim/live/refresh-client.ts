/** What a gateway hands to a tag in slices (protocol.md §7, "refresh"): credential packs and notices. */
import { ByteReader, concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { readNotices as readWhole } from '../../protocol/tag/notice-list.js';
import { noticeMark, openNotice } from '../../protocol/tag/notice.js';
import type { Notice } from '../../protocol/tag/notice.js';
import { decodeRefreshSlice, encodeRefreshRequest } from '../../protocol/session/refresh.js';
import type { RefreshKind, RefreshSlice } from '../../protocol/session/refresh.js';
import type { Link } from '../../radio/contract.js';
import type { RandomBytes } from '../tag/tag-event.js';

/** All there is of one kind, `undefined` when there is nothing. Throws `format` for a gateway that misbehaves. */
export async function readRefresh(link: Link, what: RefreshKind): Promise<Uint8Array | undefined> {
  const slices: Uint8Array[] = [];
  for await (const slice of slicesFrom(link, what, 0)) slices.push(slice);
  const whole = concat(...slices);
  return whole.length === 0 ? undefined : whole;
}

/**
 * Every notice on offer, verified, each as soon as it is read: what comes before a session breaks off counts. A long list may
 * take longer than a session lasts, so a tag begins at the newest or anywhere, as chance has it, and goes round: each notice
 * has its turn. What it read before has no part in it, for a gateway would know the tag again by what it asks for. Throws
 * `format`, `issuer` or `signature`.
 */
export async function* readNotices(
  link: Link,
  issuerPublicKey: Uint8Array,
  random: RandomBytes,
): AsyncGenerator<Notice> {
  const first = await sliceAt(link, 'notices', 0);
  const isLong = first.bytes.length < first.totalBytes;
  const start = isLong ? startIn(first.totalBytes, random) : 0;
  const slices =
    start === 0
      ? slicesFrom(link, 'notices', 0, { first })
      : slicesAround(link, start, first, noticeMark(issuerPublicKey));
  let read = new Uint8Array(0);
  for await (const slice of slices) {
    const { notices, rest } = readWhole(concat(read, slice));
    for (const bytes of notices) yield openNotice(bytes, issuerPublicKey);
    read = Uint8Array.from(rest);
  }
  if (read.length > 0) throw new FirebreakError('format', 'a notice ends too early');
}

/** Half the time at the newest, which is at 0; else anywhere. */
function startIn(totalBytes: number, random: RandomBytes): number {
  const drawn = new ByteReader(random(5), 'drawn bytes');
  const isAnywhere = drawn.u8() % 2 === 1;
  return isAnywhere ? Math.floor((drawn.u32() / 2 ** 32) * totalBytes) : 0;
}

/** The list from the first notice that begins at the offset or after it; then what stands before that one. */
async function* slicesAround(
  link: Link,
  start: number,
  first: RefreshSlice,
  mark: Uint8Array,
): AsyncGenerator<Uint8Array> {
  let begun = new Uint8Array(0); // the end of the notice that holds the offset
  let isCut = false;
  for await (const slice of slicesFrom(link, 'notices', start)) {
    if (isCut) {
      yield slice;
      continue;
    }
    const bytes = concat(begun, slice);
    const at = Buffer.from(bytes).indexOf(mark);
    isCut = at >= 0;
    begun = isCut ? bytes.slice(0, at) : Uint8Array.from(bytes);
    if (isCut) yield bytes.subarray(at);
  }
  yield* slicesFrom(link, 'notices', 0, { first, end: start });
  yield begun;
}

/** From the offset on, to the end of the list or before `end`. `first`: the slice at the offset, where it was read already. */
async function* slicesFrom(
  link: Link,
  what: RefreshKind,
  start: number,
  { first, end = Infinity }: { readonly first?: RefreshSlice; readonly end?: number } = {},
): AsyncGenerator<Uint8Array> {
  let slice = first ?? (await sliceAt(link, what, start));
  const { totalBytes } = slice;
  for (let offset = start; ; slice = await sliceAt(link, what, offset)) {
    if (slice.totalBytes !== totalBytes)
      throw new FirebreakError('format', 'the gateway changed what it hands out while it was read');
    const until = Math.min(end, totalBytes);
    yield slice.bytes.subarray(0, Math.max(0, until - offset));
    offset += slice.bytes.length;
    if (offset >= until) return;
  }
}

/** Throws `format`, also for a slice without bytes before the end. */
async function sliceAt(link: Link, what: RefreshKind, offset: number): Promise<RefreshSlice> {
  await link.write('refresh', encodeRefreshRequest({ what, offset }));
  const slice = decodeRefreshSlice(await link.read('refresh'));
  if (slice.totalBytes > offset && slice.bytes.length === 0)
    throw new FirebreakError('format', 'a refresh slice is empty');
  return slice;
}
