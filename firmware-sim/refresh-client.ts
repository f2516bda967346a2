/** What a gateway hands to a tag in slices (protocol.md §7, "refresh"): credential packs and notices. */
import { concat } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { openNotice } from '../protocol/notice.js';
import type { Notice } from '../protocol/notice.js';
import { decodeRefreshSlice, encodeRefreshRequest } from '../protocol/refresh.js';
import type { RefreshKind } from '../protocol/refresh.js';
import type { Link } from '../radio/contract.js';

/** All there is of one kind, `undefined` when there is nothing. Throws `format` for a gateway that misbehaves. */
export async function readRefresh(link: Link, what: RefreshKind): Promise<Uint8Array | undefined> {
  const slices: Uint8Array[] = [];
  let offset = 0;
  let totalBytes: number;
  do {
    await link.write('refresh', encodeRefreshRequest({ what, offset }));
    const slice = decodeRefreshSlice(await link.read('refresh'));
    totalBytes = slice.totalBytes;
    if (totalBytes > offset && slice.bytes.length === 0)
      throw new FirebreakError('format', 'a refresh slice is empty');
    slices.push(slice.bytes);
    offset += slice.bytes.length;
  } while (offset < totalBytes);
  return totalBytes === 0 ? undefined : concat(...slices).slice(0, totalBytes);
}

/** Every notice on offer, one after the other as they lie; verified. Throws `format`, `issuer` or `signature`. */
export async function readNotices(link: Link, issuerPublicKey: Uint8Array): Promise<readonly Notice[]> {
  const whole = await readRefresh(link, 'notices');
  return whole === undefined ? [] : splitNotices(whole).map((bytes) => openNotice(bytes, issuerPublicKey));
}

const NOTICE_HEAD_BYTES = 16;
const TOKEN_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** A notice says in its head how many tokens follow, and so where it ends. */
function splitNotices(whole: Uint8Array): Uint8Array[] {
  const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
  const notices: Uint8Array[] = [];
  for (let at = 0; at < whole.length;) {
    if (whole.length - at < NOTICE_HEAD_BYTES) throw new FirebreakError('format', 'a notice ends too early');
    const tokens = view.getUint16(at + NOTICE_HEAD_BYTES - 2);
    const end = at + NOTICE_HEAD_BYTES + TOKEN_BYTES * tokens + SIGNATURE_BYTES;
    notices.push(whole.subarray(at, end));
    at = end;
  }
  return notices;
}
