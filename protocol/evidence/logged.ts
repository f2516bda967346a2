/**
 * What several parts of an evidence bundle are made of (evidence.md), as CBOR:
 *
 *     proven   [index, entry, [hash 32, …], payload]
 *              the hashes: RFC 6962 §2.1.1, leaf's sibling first
 *     logged   [index, entry, [hash 32, …], payload, shared secret 32]
 *     record   [place of the report, place of the record in it, valid beacons 1 or 2]
 */
import type { CborReader, CborWriter } from '../cbor.js';
import { MAX_PAYLOAD_LENGTH } from '../tlog/entry.js';
import { FirebreakError } from '../errors.js';
import { HASH_LENGTH, MAX_ENTRY_BYTES } from '../tlog/merkle.js';
import { MAX_RECORDS } from '../tag/report-plaintext.js';

const SECRET_BYTES = 32;
/** No leaf of a tree of fewer than 2^53 leaves has a longer path. */
const MAX_HASHES = 53;
/** Of tags, and as many of gateways. */
export const MAX_REPORTS = 8_192;

/** An entry of the log, its proof, and its payload. */
export interface ProvenEvidence {
  readonly index: number;
  readonly entry: Uint8Array;
  /** RFC 6962 audit path under the bundle's checkpoint, leaf's sibling first. */
  readonly proof: readonly Uint8Array[];
  readonly payload: Uint8Array;
}

/** And what opens that payload. */
export interface LoggedEvidence extends ProvenEvidence {
  /** HPKE shared secret of this payload alone. */
  readonly sharedSecret: Uint8Array;
}

export interface CitedRecord {
  /** Places in the bundle's reports, and among the records of that report. */
  readonly report: number;
  readonly record: number;
  /** How many of its two beacon MACs are the peer's own: the authority's word. */
  readonly beacons: 1 | 2;
}

export function writeEach<T>(
  writer: CborWriter,
  items: readonly T[],
  write: (writer: CborWriter, item: T) => void,
): void {
  writer.array(items.length);
  for (const item of items) write(writer, item);
}

export function readEach<T>(reader: CborReader, max: number, read: (reader: CborReader) => T): T[] {
  const items: T[] = [];
  for (let left = reader.array({ max }); left > 0; left--) items.push(read(reader));
  return items;
}

/** Bytes it takes at most. */
export const capacityOfProven = ({ entry, proof, payload }: ProvenEvidence): number =>
  128 + entry.length + 48 * proof.length + payload.length;

export function writeProven(writer: CborWriter, proven: ProvenEvidence): void {
  writeEntry(writer.array(4), proven);
}

export function writeLogged(writer: CborWriter, logged: LoggedEvidence): void {
  writeEntry(writer.array(5), logged);
  writer.bytes(logged.sharedSecret);
}

function writeEntry(writer: CborWriter, { index, entry, proof, payload }: ProvenEvidence): void {
  writer.uint(index).bytes(entry);
  writeEach(writer, proof, (_, hash) => void writer.bytes(hash));
  writer.bytes(payload);
}

/** Throws `format`, and `size` for an entry or payload over its bound. */
export function readProven(reader: CborReader): ProvenEvidence {
  reader.array({ length: 4 });
  return readEntry(reader);
}

/** Throws as {@link readProven}. */
export function readLogged(reader: CborReader): LoggedEvidence {
  reader.array({ length: 5 });
  return { ...readEntry(reader), sharedSecret: reader.bytes(SECRET_BYTES) };
}

function readEntry(reader: CborReader): ProvenEvidence {
  return {
    index: reader.uint(),
    entry: reader.viewUpTo(MAX_ENTRY_BYTES),
    proof: readEach(reader, MAX_HASHES, () => reader.bytes(HASH_LENGTH)),
    payload: reader.viewUpTo(MAX_PAYLOAD_LENGTH),
  };
}

export function writeRecord(writer: CborWriter, { report, record, beacons }: CitedRecord): void {
  writer.array(3).uint(report).uint(record).uint(beacons);
}

/** Throws `format`. */
export function readRecord(reader: CborReader): CitedRecord {
  reader.array({ length: 3 });
  const place = { report: reader.uint(MAX_REPORTS - 1), record: reader.uint(MAX_RECORDS - 1) };
  const beacons = reader.uint(2);
  if (beacons === 1 || beacons === 2) return { ...place, beacons };
  throw new FirebreakError('format', 'evidence bundle: a record is proven by one beacon or by two');
}
