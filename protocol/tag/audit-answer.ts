/**
 * The authority's answer to an audit request (protocol.md §14): the looks that this tag was in, and nobody else's.
 *
 *     sealed     HPKE enc 32 || ciphertext, to the request's reply key,
 *                info "firebreak/audit-answer/v1", aad = H(request)
 *     plaintext  body || zeros || Ed25519(issuer, D("firebreak/audit-answer/v1") || all before) 64
 *                4 KiB to 1 MiB, a power of two
 *     body       CBOR [1, H(request), checkpoint note, [look, …], older, [unread, …], unreadCount]
 *     look       [role 0 case, 1 reached; whole 0 no, 1 yes, 2 unknown; writtenAtMs; appendedAtMs;
 *                 [[index, leaf hash], … 1 or 2];
 *                 [] or [officer, purpose, question, hops, from, to, minSeconds, latentSeconds,
 *                 infectiousSeconds or null, attenuation, presence 0 or 1]]
 *     unread     [index, appendedAtMs, why]
 */
import {
  questionCapacity,
  readParameters,
  readWords,
  writeParameters,
  writeWords,
  type ShownQuestion,
} from '../payload/access-question.js';
import { asUnixMs, type UnixMs } from '../brands.js';
import { concat, equalBytes } from '../bytes.js';
import { CborReader, CborWriter } from '../cbor.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain, type Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { hpkeOpen, hpkeSeal } from '../crypto/hpke.js';

const VERSION = 1;
const DOMAIN = 'firebreak/audit-answer/v1';
const INFO = Buffer.from(DOMAIN, 'latin1');
const FIELDS = 7;
const LOOK_FIELDS = 6;
const ASKED_FIELDS = 11;
const HASH_BYTES = 32;
const ENC_BYTES = 32;
const MIN_PLAINTEXT_BYTES = 4_096;
const MAX_PLAINTEXT_BYTES = 1_048_576;
const MAX_NOTE_BYTES = 65_536;
const MAX_LOOKS = MAX_PLAINTEXT_BYTES / 64;
export const MAX_UNREAD_LISTED = 64;
/** A sealed answer: enc, plaintext, the seal's tag. */
export const MAX_AUDIT_ANSWER_BYTES = ENC_BYTES + MAX_PLAINTEXT_BYTES + 16;

const ROLES = ['case', 'reached'] as const;
export type LookRole = (typeof ROLES)[number];
const UNREAD_REASONS = ['pruned', 'missing', 'unreadable'] as const;
export type UnreadReason = (typeof UNREAD_REASONS)[number];

const WHOLENESS = ['no', 'yes', 'unknown'] as const;
/** Whether all entries of a look are in the log; unknown when entries that cannot be read may be the missing ones. */
export type Wholeness = (typeof WHOLENESS)[number];

/** A look that this tag was in. */
export interface AuditLook {
  /** The tag was what was asked about, or is in the answer. */
  readonly role: LookRole;
  /** Without all of its entries in the log no tracer that keeps to the rules has answered it. */
  readonly whole: Wholeness;
  /** By the tracer's word, and when the ledger took it. */
  readonly writtenAtMs: UnixMs;
  readonly appendedAtMs: UnixMs;
  /** The ledger entry with the question, and the one with the tag where that is another. */
  readonly entries: readonly AuditEntry[];
  /** Absent when the entry with the question cannot be read. */
  readonly asked?: ShownQuestion;
}

export interface AuditEntry {
  readonly index: number;
  /** What `firebreak ledger prove` proves. */
  readonly leaf: Uint8Array;
}

/** An entry that records a look, or a part of one, whose payload cannot be read: it may be about anybody. */
export interface UnreadAccess {
  readonly index: number;
  readonly appendedAtMs: UnixMs;
  readonly why: UnreadReason;
}

export interface AuditAnswer {
  /** The signed checkpoint up to which the log was read. */
  readonly note: string;
  /** In the order of the log. */
  readonly looks: readonly AuditLook[];
  /** Looks before these that this answer has no room for. */
  readonly older: number;
  /** The newest of them, at most {@link MAX_UNREAD_LISTED}. */
  readonly unread: readonly UnreadAccess[];
  readonly unreadCount: number;
}

/** What an answer is sealed with. */
export interface AnswerTo {
  /** H(request). */
  readonly requestHash: Uint8Array;
  readonly replyPublicKey: Uint8Array;
}

/**
 * Signed and sealed; the oldest looks are counted only when not all have room. Throws `sealing` for a reply
 * key of small order.
 */
export function sealAuditAnswer(
  issuer: Signer,
  answer: AuditAnswer,
  { requestHash, replyPublicKey }: AnswerTo,
): Uint8Array {
  const body = encodeBody(requestHash, fitting(answer));
  const length = Math.max(MIN_PLAINTEXT_BYTES, 2 ** Math.ceil(Math.log2(body.length + SIGNATURE_BYTES)));
  const padded = concat(body, new Uint8Array(length - SIGNATURE_BYTES - body.length));
  const plaintext = concat(padded, signDomain(issuer, DOMAIN, padded));
  const sealing = { recipientPublicKey: replyPublicKey, info: INFO, aad: requestHash };
  const { enc, ciphertext } = hpkeSeal({ ...sealing, plaintext });
  return concat(enc, ciphertext);
}

/** Bytes of a look as encoded, at most. */
const lookCapacity = ({ asked }: AuditLook): number => 128 + (asked ? questionCapacity(asked) : 0);

const fixedCapacity = ({ note }: AuditAnswer): number =>
  256 + Buffer.byteLength(note) + MAX_UNREAD_LISTED * 32;

function fitting(answer: AuditAnswer): AuditAnswer {
  const { looks } = answer;
  let room = MAX_PLAINTEXT_BYTES - SIGNATURE_BYTES - fixedCapacity(answer);
  let first = looks.length;
  for (let k = looks.length - 1; k >= 0; k -= 1) {
    const look = looks[k];
    room -= look ? lookCapacity(look) : 0;
    if (room < 0) break;
    first = k;
  }
  return { ...answer, looks: looks.slice(first), older: answer.older + first };
}

function encodeBody(requestHash: Uint8Array, answer: AuditAnswer): Uint8Array {
  const { note, looks, older, unread, unreadCount } = answer;
  const capacity = looks.reduce((sum, look) => sum + lookCapacity(look), fixedCapacity(answer));
  const writer = new CborWriter(capacity).array(FIELDS).uint(VERSION).bytes(requestHash).text(note);
  writer.array(looks.length);
  for (const look of looks) writeLook(writer, look);
  writer.uint(older).array(unread.length);
  for (const { index, appendedAtMs, why } of unread)
    writer.array(3).uint(index).uint(appendedAtMs).uint(UNREAD_REASONS.indexOf(why));
  return writer.uint(unreadCount).finish();
}

function writeLook(writer: CborWriter, look: AuditLook): void {
  const { role, whole, writtenAtMs, appendedAtMs, entries, asked } = look;
  writer.array(LOOK_FIELDS).uint(ROLES.indexOf(role)).uint(WHOLENESS.indexOf(whole));
  writer.uint(writtenAtMs).uint(appendedAtMs).array(entries.length);
  for (const { index, leaf } of entries) writer.array(2).uint(index).bytes(leaf);
  writer.array(asked ? ASKED_FIELDS : 0);
  if (asked) writeParameters(writeWords(writer, asked), asked);
}

/**
 * What the authority answered to this request. Throws `sealing` when it is sealed to another key or answers
 * another request, `signature` when the issuer did not sign it, `format`.
 */
export function openAuditAnswer(
  sealed: Uint8Array,
  to: { readonly requestHash: Uint8Array; readonly replySecretKey: Uint8Array },
  issuerPublicKey: Uint8Array,
): AuditAnswer {
  const plaintext = hpkeOpen({
    recipientSecretKey: to.replySecretKey,
    enc: sealed.subarray(0, ENC_BYTES),
    info: INFO,
    aad: to.requestHash,
    ciphertext: sealed.subarray(ENC_BYTES),
  });
  const padded = plaintext.subarray(0, -SIGNATURE_BYTES);
  if (!verifyDomain(issuerPublicKey, DOMAIN, padded, plaintext.subarray(-SIGNATURE_BYTES)))
    throw new FirebreakError(
      'signature',
      'the answer is not signed by the authority the tag is enrolled with',
    );
  return decodeBody(padded, to.requestHash);
}

function decodeBody(bytes: Uint8Array, requestHash: Uint8Array): AuditAnswer {
  const reader = new CborReader(bytes, 'an audit answer');
  reader.array({ length: FIELDS });
  if (reader.uint() !== VERSION)
    throw new FirebreakError('format', 'an audit answer of a version that is not known');
  if (!equalBytes(reader.bytes(HASH_BYTES), requestHash))
    throw new FirebreakError('format', 'an audit answer to another request');
  const note = reader.text(MAX_NOTE_BYTES);
  const looks = Array.from({ length: reader.array({ max: MAX_LOOKS }) }, () => readLook(reader));
  const older = reader.uint();
  const unread = Array.from({ length: reader.array({ max: MAX_UNREAD_LISTED }) }, () => readUnread(reader));
  const unreadCount = reader.uint();
  reader.zerosToEnd();
  return { note, looks, older, unread, unreadCount };
}

function readLook(reader: CborReader): AuditLook {
  reader.array({ length: LOOK_FIELDS });
  const role = ROLES[reader.uint(ROLES.length - 1)] ?? 'reached';
  const whole = WHOLENESS[reader.uint(WHOLENESS.length - 1)] ?? 'unknown';
  const times = { writtenAtMs: asUnixMs(reader.uint()), appendedAtMs: asUnixMs(reader.uint()) };
  const entries = Array.from({ length: reader.array({ max: 2 }) }, () => readAuditEntry(reader));
  if (entries.length === 0) throw new FirebreakError('format', 'a look in an audit answer without its entry');
  return { role, whole, ...times, entries, ...readAsked(reader) };
}

function readAuditEntry(reader: CborReader): AuditEntry {
  reader.array({ length: 2 });
  return { index: reader.uint(), leaf: reader.bytes(HASH_BYTES) };
}

function readAsked(reader: CborReader): Pick<AuditLook, 'asked'> {
  const fields = reader.array({ max: ASKED_FIELDS });
  if (fields === 0) return {};
  if (fields === ASKED_FIELDS) return { asked: { ...readWords(reader), ...readParameters(reader) } };
  throw new FirebreakError('format', `a question in an audit answer has ${ASKED_FIELDS} fields, or none`);
}

function readUnread(reader: CborReader): UnreadAccess {
  reader.array({ length: 3 });
  const [index, appendedAtMs] = [reader.uint(), asUnixMs(reader.uint())];
  return { index, appendedAtMs, why: UNREAD_REASONS[reader.uint(UNREAD_REASONS.length - 1)] ?? 'unreadable' };
}
