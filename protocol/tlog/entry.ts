/**
 * A ledger entry (protocol.md §10): deterministic CBOR, and its SHA-256 with a zero byte before it is the Merkle leaf.
 *
 *     [type, appendedAtMs, source bstr16, sourceSeq, sourceTimeMs,
 *      payloadLength, payloadSha256 bstr32, previousLeaf bstr32]
 *
 * Bounds: type at most 65,535, payload at most 64 KiB; an entry so encoded is at most 131 bytes.
 */
import { asUnixMs, type UnixMs } from '../brands.js';
import { CborReader, CborWriter } from '../cbor.js';
import { FirebreakError } from '../errors.js';

/** Entry types of protocol.md §10. */
export const ENTRY_TYPE = {
  tagReport: 1,
  presenceReport: 2,
  gateway: 3,
  dayKey: 4,
  case: 5,
  access: 6,
  identity: 7,
  notices: 8,
  credentials: 9,
  pruning: 10,
} as const;

/** Whether entries of this type hold a report, which gateways write and a retention window ends. */
export const isReport = (type: number): boolean =>
  type === ENTRY_TYPE.tagReport || type === ENTRY_TYPE.presenceReport;

export interface LedgerEntry {
  readonly type: number;
  readonly appendedAtMs: UnixMs;
  /** writerId of the writer: H(public key)[0,16). */
  readonly source: Uint8Array;
  /** Sequence number of the writer's batch. */
  readonly sourceSeq: number;
  /** As the writer stated it; receivedAt for reports. */
  readonly sourceTimeMs: UnixMs;
  readonly payloadLength: number;
  readonly payloadSha256: Uint8Array;
  /** Leaf hash of the entry before; 32 zero bytes for the first. */
  readonly previousLeaf: Uint8Array;
}

export const MAX_ENTRY_TYPE = 65_535;
export const MAX_PAYLOAD_LENGTH = 65_536;
const FIELDS = 8;
const CAPACITY = 1 + 3 + 9 + 17 + 9 + 9 + 5 + 34 + 34;

/** previousLeaf of the first entry. */
export const NO_PREVIOUS_LEAF: Uint8Array = new Uint8Array(32);

/** Room for `count` entries, one after the other. */
export const entryWriter = (count: number): CborWriter => new CborWriter(count * CAPACITY);

/** Written with a writer of one's own, many entries share one buffer. Throws `format` for a field out of its range. */
export function encodeEntry(entry: LedgerEntry, writer: CborWriter = entryWriter(1)): Uint8Array {
  requireBounds(entry);
  return writer
    .array(FIELDS)
    .uint(entry.type)
    .uint(entry.appendedAtMs)
    .bytes(entry.source)
    .uint(entry.sourceSeq)
    .uint(entry.sourceTimeMs)
    .uint(entry.payloadLength)
    .bytes(entry.payloadSha256)
    .bytes(entry.previousLeaf)
    .finish();
}

function requireBounds({ type, payloadLength, source, payloadSha256, previousLeaf }: LedgerEntry): void {
  const lengthsFit = source.length === 16 && payloadSha256.length === 32 && previousLeaf.length === 32;
  if (lengthsFit && type <= MAX_ENTRY_TYPE && payloadLength <= MAX_PAYLOAD_LENGTH) return;
  throw new FirebreakError('format', 'a ledger entry with a field out of its range');
}

/** A byte string of 32 bytes: head and bytes. */
const HASH_ITEM = 34;
const HASH_HEAD = 2;

/** Which payload an entry is of. */
export type NamedPayload = Pick<LedgerEntry, 'type' | 'payloadSha256'>;

/**
 * What {@link decodeEntry} would say of the payload, the hash as a view: a tenth of the work, for entries of
 * one's own, and no check of the fields between. Throws `format` for what cannot be an entry.
 */
export function payloadNamedIn(entry: Uint8Array): NamedPayload {
  const reader = new CborReader(entry, 'a ledger entry');
  reader.array({ length: FIELDS });
  const type = reader.uint(MAX_ENTRY_TYPE);
  const start = entry.length - 2 * HASH_ITEM;
  if (start < 0 || entry[start] !== 0x58 || entry[start + 1] !== 32)
    throw new FirebreakError('format', 'a ledger entry without the hash of a payload');
  return { type, payloadSha256: entry.subarray(start + HASH_HEAD, start + HASH_ITEM) };
}

/** Throws `format`. */
export function decodeEntry(bytes: Uint8Array): LedgerEntry {
  const reader = new CborReader(bytes, 'a ledger entry');
  reader.array({ length: FIELDS });
  const entry: LedgerEntry = {
    type: reader.uint(MAX_ENTRY_TYPE),
    appendedAtMs: asUnixMs(reader.uint()),
    source: reader.bytes(16),
    sourceSeq: reader.uint(),
    sourceTimeMs: asUnixMs(reader.uint()),
    payloadLength: reader.uint(MAX_PAYLOAD_LENGTH),
    payloadSha256: reader.bytes(32),
    previousLeaf: reader.bytes(32),
  };
  reader.end();
  return entry;
}
