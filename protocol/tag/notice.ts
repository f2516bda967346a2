/**
 * Notice to tags (protocol.md §7), broadcast whole, so that no gateway learns who is meant. Several stand in a row:
 * notice-list.ts.
 *
 *     01 || issuerId 4 || day u32 || number u32 || code u8 || count u16 || sorted tokens 8·count
 *        || sig(issuer, "firebreak/notice/v1")
 *     token  HMAC(authKey of the day's first epoch, D("firebreak/notice-token/v1") || number u32 || code u8)[0,8)
 *
 * The tokens are filled up with random ones to a power of two.
 */
import { ByteReader, ByteWriter, concat, domain, equalBytes } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { hmacSha256 } from '../crypto/hash.js';
import { issuerIdOf } from '../keys.js';

const DOMAIN = 'firebreak/notice/v1';
const TOKEN_DOMAIN = 'firebreak/notice-token/v1';
const VERSION = 1;
export const NOTICE_HEAD_BYTES = 16;
const TOKEN_BYTES = 8;
/** The largest power of two that a u16 can count. */
const MAX_TOKENS = 32_768;

export interface Notice {
  readonly day: number;
  readonly number: number;
  readonly code: number;
  /** Sorted; a power of two of them. */
  readonly tokens: readonly Uint8Array[];
}

export interface NoticeHead {
  readonly day: number;
  readonly number: number;
  /** Of the whole notice, its signature included. */
  readonly totalBytes: number;
}

/**
 * The first five bytes of every notice of this issuer. Anywhere else among 262,224 bytes they stand once in
 * four million lists.
 */
export function noticeMark(issuerPublicKey: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(VERSION), issuerIdOf(issuerPublicKey));
}

/** What the first 16 bytes of a notice say; nothing is verified. Throws `format` for fewer. */
export function readNoticeHead(bytes: Uint8Array): NoticeHead {
  const reader = new ByteReader(bytes, 'notice');
  reader.take(1 + 4);
  const [day, number] = [reader.u32(), reader.u32()];
  reader.u8();
  return { day, number, totalBytes: NOTICE_HEAD_BYTES + TOKEN_BYTES * reader.u16() + SIGNATURE_BYTES };
}

/** What a tag looks for in a notice; it knows the auth key of its day's first epoch. */
export function noticeToken(firstAuthKey: Uint8Array, number: number, code: number): Uint8Array {
  const numbered = new ByteWriter(5).u32(number).u8(code).finish();
  return hmacSha256(firstAuthKey, domain(TOKEN_DOMAIN), numbered).slice(0, TOKEN_BYTES);
}

export function hasToken(notice: Notice, token: Uint8Array): boolean {
  return notice.tokens.some((candidate) => equalBytes(candidate, token));
}

/** Signs a notice for these tokens; `randomBytes(n)` gives the padding. Throws `full` above 32,768 tokens. */
export function signNotice(
  issuer: Signer,
  notice: Notice,
  randomBytes: (length: number) => Uint8Array,
): Uint8Array {
  const tokens = padded(notice.tokens, randomBytes);
  const writer = new ByteWriter(NOTICE_HEAD_BYTES + TOKEN_BYTES * tokens.length)
    .u8(VERSION)
    .bytes(issuerIdOf(issuer.publicKey))
    .u32(notice.day)
    .u32(notice.number)
    .u8(notice.code)
    .u16(tokens.length);
  for (const token of tokens) writer.bytes(token);
  const body = writer.finish();
  return concat(body, signDomain(issuer, DOMAIN, body));
}

/** Throws `format`, `issuer`, or `signature`. */
export function openNotice(bytes: Uint8Array, issuerPublicKey: Uint8Array): Notice {
  const reader = new ByteReader(bytes, 'notice');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a notice of another version');
  if (!equalBytes(reader.take(4), issuerIdOf(issuerPublicKey)))
    throw new FirebreakError('issuer', 'a notice of another issuer');
  const head = { day: reader.u32(), number: reader.u32(), code: reader.u8() };
  const tokens = Array.from({ length: reader.u16() }, () => reader.take(TOKEN_BYTES));
  const signature = reader.take(SIGNATURE_BYTES);
  reader.end();
  if (!verifyDomain(issuerPublicKey, DOMAIN, bytes.subarray(0, bytes.length - SIGNATURE_BYTES), signature)) {
    throw new FirebreakError('signature', 'the notice is not signed by the issuer');
  }
  const notice = { ...head, tokens };
  requireTokens(notice);
  return notice;
}

function requireTokens({ tokens }: Notice): void {
  const isPowerOfTwo = tokens.length > 0 && (tokens.length & (tokens.length - 1)) === 0;
  const isSorted = tokens.every(
    (token, index) => index === 0 || Buffer.compare(tokens[index - 1] ?? token, token) <= 0,
  );
  if (!isPowerOfTwo || !isSorted)
    throw new FirebreakError('format', 'the tokens of a notice must be sorted and a power of two');
}

function padded(tokens: readonly Uint8Array[], randomBytes: (length: number) => Uint8Array): Uint8Array[] {
  let size = 1;
  while (size < tokens.length) size *= 2;
  if (size > MAX_TOKENS) throw new FirebreakError('full', `a notice holds at most ${MAX_TOKENS} tokens`);
  const padding = Array.from({ length: size - tokens.length }, () => randomBytes(TOKEN_BYTES));
  return [...tokens, ...padding].sort((a, b) => Buffer.compare(a, b));
}
