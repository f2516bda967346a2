/**
 * Payloads of ledger entries of type 6, access (protocol.md §10): who looked, for which cases, why, with
 * which parameters, and the tags that the answer named. The tracer writes them before it answers. Sealed to
 * the authority's audit key, which the tracer does not hold. A look is one entry, or several when its tags do
 * not fit one payload.
 *
 *     payload = salt 16 || 0x02 || h u8 || head || tags        2^9 to 2^16 bytes; of several parts, each 2^16
 *     head    = HPKE enc 32 || ciphertext 2^h + 16             info "firebreak/access/v2", aad = the 18 bytes before
 *     tags    = HPKE enc 32 || ciphertext                      info "firebreak/access-tags/v2", aad = all bytes before
 *
 *     plaintext of the head = look 16 || part u16 || parts u16
 *                             || question in the first part (access-question.ts) || zeros
 *     plaintext of the tags = count u32 || a run of tags (tag-runs.ts) || zeros
 *
 * Head and tags are sealed apart, so that an evidence bundle can show the question and nobody else's number.
 * Each size is the least power of two, and so is the number of parts: an observer sees that, and no count.
 */
import type { AccessQuestion, RecordedQuestion } from './access-question.js';
import { encodeRecordedQuestion, readRecordedQuestion } from './access-question.js';
import { asTagNumber, type TagNumber } from '../brands.js';
import { ByteReader, concat, equalBytes, isZero } from '../bytes.js';
import { CborReader } from '../cbor.js';
import { MAX_PAYLOAD_LENGTH } from '../tlog/entry.js';
import { FirebreakError } from '../errors.js';
import { hpkeDecap, hpkeEncap, hpkeOpenWith, hpkeSealWith } from '../crypto/hpke.js';
import { readFirstAccess } from './access-v1.js';
import { requireSalt, SALT_BYTES } from './salt.js';
import { readTagRun, tagList, writeTagRun, type TagList } from './tag-runs.js';

const VERSION = 2;
const HEAD_INFO = Buffer.from('firebreak/access/v2');
const TAGS_INFO = Buffer.from('firebreak/access-tags/v2');
const PREFIX_BYTES = SALT_BYTES + 2;
const ENC_BYTES = 32;
const SEAL_BYTES = ENC_BYTES + 16;
const OVERHEAD = PREFIX_BYTES + 2 * SEAL_BYTES;
const LOOK_BYTES = 16;
const NAME_BYTES = LOOK_BYTES + 4;
const COUNT_BYTES = 4;
const MIN_HEAD_LOG2 = 8;
const MAX_HEAD_LOG2 = 12;
const MIN_PAYLOAD_LENGTH = 512;
/** 64 MiB of tags: every tag of any city there is. */
const MAX_PARTS = 1_024;

/** One question put to the tracer, as it was asked, and all tags reached or named as sources, ascending. */
export interface AccessRecord extends AccessQuestion {
  readonly reached: readonly TagNumber[];
}

export interface SealAccess {
  /** Names the look: 16 random bytes, the same in all of its parts. */
  readonly look: Uint8Array;
  /** A fresh salt of 16 random bytes for each part. */
  readonly salt: () => Uint8Array;
  /** X25519 public key of the authority's audit. */
  readonly recipientPublicKey: Uint8Array;
  /** For vectors only: asked for the head and for the tags of each part; fresh ones otherwise. */
  readonly ephemeralSecretKey?: () => Uint8Array;
}

export interface SealedAccess {
  readonly payload: Uint8Array;
  /**
   * The HPKE shared secret of the head of this payload, 32 bytes, for an evidence bundle (protocol.md §11):
   * it opens nothing else.
   */
  readonly sharedSecret: Uint8Array;
}

/** One payload, opened. */
export interface AccessPart {
  /** 16 bytes. */
  readonly look: Uint8Array;
  /** Counted from 0. */
  readonly part: number;
  readonly parts: number;
  /** In the first part. */
  readonly asked?: RecordedQuestion;
  readonly tags: TagList;
}

/** A record whose tags are yet to be checked. */
export type AccessToSeal = AccessQuestion & { readonly reached: ArrayLike<number> };

/**
 * The parts of a look in their order, to be logged in that order. Throws `format` for a record out of its
 * bounds or tags that do not ascend, `size` for more tags than a look can name.
 */
export function sealAccess(record: AccessToSeal, given: SealAccess): SealedAccess[] {
  const question = encodeRecordedQuestion({ ...record, reachedCount: record.reached.length });
  const firstHead = 2 ** headLog2(NAME_BYTES + question.length);
  const runs = tagRuns(tagList(record.reached), firstHead);
  const payloadLength = runs.length > 1 ? MAX_PAYLOAD_LENGTH : lengthFor(firstHead, runs[0]?.length ?? 0);
  const parts = nextPowerOfTwo(runs.length);
  return Array.from({ length: parts }, (_, part) => {
    const head = new Uint8Array(part === 0 ? firstHead : 2 ** MIN_HEAD_LOG2);
    head.set(given.look);
    new DataView(head.buffer).setUint32(LOOK_BYTES, part * 2 ** 16 + parts);
    if (part === 0) head.set(question, NAME_BYTES);
    const tags = new Uint8Array(payloadLength - OVERHEAD - head.length);
    tags.set(runs[part] ?? new Uint8Array(COUNT_BYTES));
    return sealPart(head, tags, given);
  });
}

function headLog2(length: number): number {
  return Math.max(MIN_HEAD_LOG2, Math.ceil(Math.log2(length)));
}

const nextPowerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(value));

const lengthFor = (head: number, tags: number): number =>
  Math.max(MIN_PAYLOAD_LENGTH, nextPowerOfTwo(OVERHEAD + head + tags));

/** The tags cut into runs that fit a payload each, counts before them; one at least. */
function tagRuns(tags: TagList, firstHead: number): Uint8Array[] {
  const runs: Uint8Array[] = [];
  let from = 0;
  do {
    const head = runs.length === 0 ? firstHead : 2 ** MIN_HEAD_LOG2;
    const run = new Uint8Array(MAX_PAYLOAD_LENGTH - OVERHEAD - head);
    const { next, bytes } = writeTagRun(tags, from, run.subarray(COUNT_BYTES));
    new DataView(run.buffer).setUint32(0, next - from);
    runs.push(run.subarray(0, COUNT_BYTES + bytes));
    from = next;
  } while (from < tags.length && runs.length < MAX_PARTS);
  if (from === tags.length) return runs;
  throw new FirebreakError(
    'size',
    `an answer with more tags than ${MAX_PARTS} ledger entries can name; ask for a shorter window or fewer hops`,
  );
}

function sealPart(
  head: Uint8Array,
  tags: Uint8Array,
  { look, salt: newSalt, recipientPublicKey, ephemeralSecretKey }: SealAccess,
): SealedAccess {
  const salt = newSalt();
  requireSalt(salt);
  requireSalt(look); // as long
  const prefix = concat(salt, Uint8Array.of(VERSION, Math.log2(head.length)));
  const forHead = hpkeEncap(recipientPublicKey, ephemeralSecretKey?.());
  const sealedHead = hpkeSealWith(forHead.sharedSecret, { info: HEAD_INFO, aad: prefix, plaintext: head });
  const before = concat(prefix, forHead.enc, sealedHead);
  const forTags = hpkeEncap(recipientPublicKey, ephemeralSecretKey?.());
  const sealedTags = hpkeSealWith(forTags.sharedSecret, { info: TAGS_INFO, aad: before, plaintext: tags });
  return { payload: concat(before, forTags.enc, sealedTags), sharedSecret: forHead.sharedSecret };
}

/**
 * One payload with the audit key. Throws `format`, also for one of the first version; `sealing` when it was
 * not sealed to this key.
 */
export function openAccessPart(payload: Uint8Array, recipientSecretKey: Uint8Array): AccessPart {
  const { head, tags } = sectionsOf(payload);
  const secretOf = (enc: Uint8Array): Uint8Array => hpkeDecap({ recipientSecretKey }, enc);
  const named = readHead(hpkeOpenWith(secretOf(head.enc), head));
  return { ...named, tags: readTags(hpkeOpenWith(secretOf(tags.enc), tags)) };
}

/**
 * The question of a look, with the shared secret of the head of its first part. Payloads of the first version
 * are read too. Throws `format`, `sealing`.
 */
export function readAccessQuestion(payload: Uint8Array, sharedSecret: Uint8Array): RecordedQuestion {
  const isFirstVersion = payload[SALT_BYTES] !== VERSION;
  const asked = isFirstVersion ? readFirstAccess(payload, sharedSecret) : readEither(payload, sharedSecret);
  if (asked !== undefined) return asked;
  throw new FirebreakError('format', 'a further part of an access record: the question is in the first');
}

/** Where the version stands now, the first version had a byte of a key, and one key in 256 has a 2 there. */
function readEither(payload: Uint8Array, sharedSecret: Uint8Array): AccessPart['asked'] {
  try {
    return readHead(hpkeOpenWith(sharedSecret, sectionsOf(payload).head)).asked;
  } catch (error) {
    try {
      return readFirstAccess(payload, sharedSecret);
    } catch {
      throw error;
    }
  }
}

/** The record of a look from all of its parts, in order. Throws `format` for parts that are not all of one look. */
export function joinAccess(parts: readonly AccessPart[]): AccessRecord {
  const [first] = parts;
  const isWhole =
    first?.parts === parts.length &&
    parts.every(({ look, part }, place) => part === place && equalBytes(look, first.look));
  if (!isWhole || first.asked === undefined)
    throw new FirebreakError('format', 'these are not all parts of one access record, in order');
  const { reachedCount, ...asked } = first.asked;
  const reached = parts.flatMap(({ tags }) => Array.from(tags, asTagNumber));
  tagList(reached);
  if (reached.length === reachedCount) return { ...asked, reached };
  throw new FirebreakError('format', 'an access record that names more or fewer tags than it says');
}

function sectionsOf(payload: Uint8Array) {
  const { length } = payload;
  const isPowerOfTwo = Number.isInteger(Math.log2(length));
  const isLength = isPowerOfTwo && length >= MIN_PAYLOAD_LENGTH && length <= MAX_PAYLOAD_LENGTH;
  const log2 = payload[SALT_BYTES + 1] ?? 0;
  if (payload[SALT_BYTES] !== VERSION)
    throw new FirebreakError('format', 'an access payload of another version: the first named no tags');
  const headLength = 2 ** log2;
  const isHead = log2 >= MIN_HEAD_LOG2 && log2 <= MAX_HEAD_LOG2;
  if (!isLength || !isHead || OVERHEAD + headLength + COUNT_BYTES > length)
    throw new FirebreakError('format', 'an access payload of a length that none has');
  const reader = new ByteReader(payload, 'an access payload');
  reader.view(PREFIX_BYTES);
  const section = (info: Uint8Array, ciphertextLength: number) => ({
    info,
    aad: payload.subarray(0, length - reader.remaining),
    enc: reader.view(ENC_BYTES),
    ciphertext: reader.view(ciphertextLength),
  });
  const head = section(HEAD_INFO, headLength + SEAL_BYTES - ENC_BYTES);
  return { head, tags: section(TAGS_INFO, reader.remaining - ENC_BYTES) };
}

function readHead(plaintext: Uint8Array): Omit<AccessPart, 'tags'> {
  const reader = new ByteReader(plaintext, 'an access record');
  const named = { look: reader.take(LOOK_BYTES), part: reader.u16(), parts: reader.u16() };
  const { part, parts } = named;
  if (part >= parts || parts > MAX_PARTS || nextPowerOfTwo(parts) !== parts)
    throw new FirebreakError('format', 'an access record in parts that cannot be');
  const rest = reader.view(reader.remaining);
  if (part === 0) {
    const question = new CborReader(rest, 'an access record');
    const asked = readRecordedQuestion(question);
    question.zerosToEnd();
    return { ...named, asked };
  }
  if (isZero(rest)) return named;
  throw new FirebreakError('format', 'a further part of an access record has a question of its own');
}

function readTags(plaintext: Uint8Array): TagList {
  const reader = new ByteReader(plaintext, 'the tags of an access record');
  const count = reader.u32();
  const rest = reader.view(reader.remaining);
  const { tags, bytes } = readTagRun(rest, count);
  if (isZero(rest.subarray(bytes))) return tags;
  throw new FirebreakError('format', 'the tags of an access record: padding that is not zero');
}
