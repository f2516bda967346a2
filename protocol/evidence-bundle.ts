/**
 * Evidence bundle of a trace (protocol.md §11, evidence.md): deterministic CBOR (cbor.ts), then a signature.
 *
 *     bundle   body || sig(tracer, "firebreak/evidence/v1" over the body) 64
 *     body     ["firebreak/evidence/v1", tracer key 32, issuer key 32, sampleHoldSeconds, retentionDays, checkpoint text,
 *               access, [report, …], [name, …], [contact, …], [source row, …], [reached row, …]]
 *     access, report   [index, entry, [hash 32, …], payload, shared secret 32]      the hashes: RFC 6962 §2.1.1, leaf's sibling first
 *     name     [ephId 16, tag, epoch]
 *     contact  [[place of the report, place of the record in it, valid beacons 1 or 2], …]
 *     row      [tag, earliestAt, score: IEEE 754 double 8, [step, …]]
 *     step     [place of the contact, [places of the pair's contacts that complete it, …]]
 *
 * Places count from 0 in the lists of this body. What can be worked out from the reports (times, nearSeconds, hops, the other
 * person of a step) is not in it, so that it cannot differ. Bounds: the constants below; a bundle is at most 16 MiB.
 */
import { asEpoch, asTagNumber } from './brands.js';
import type { Epoch, TagNumber } from './brands.js';
import { concat } from './bytes.js';
import { CborReader, CborWriter } from './cbor.js';
import { signDomain, verifyDomain } from './ed25519.js';
import type { Signer } from './ed25519.js';
import { MAX_PAYLOAD_LENGTH } from './entry.js';
import { FirebreakError } from './errors.js';
import { HASH_LENGTH } from './merkle.js';
import { MAX_RECORDS } from './report-plaintext.js';
import { MAX_ENTRY_LENGTH } from './tile.js';

const DOMAIN = 'firebreak/evidence/v1';
const FIELDS = 12;
const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;
const EPH_ID_BYTES = 16;
const SCORE_BYTES = 8;
export const MAX_EVIDENCE_BYTES = 16 << 20;
const MAX_CHECKPOINT_BYTES = 1 << 20;
/** No leaf of a tree of fewer than 2^53 leaves has a longer path. */
const MAX_HASHES = 53;
const MAX_REPORTS = 8_192;
const MAX_NAMES = 65_536;
const MAX_CONTACTS = 65_536;
const MAX_RECORDS_OF_CONTACT = 1_024;
const MAX_ROWS = 65_536;
const MAX_STEPS = 16;
/** A pair has some hundred epochs in 24 hours. */
const MAX_SUPPORTS = 256;
const MAX_SETTING = 86_400;

/** An entry of the log, its proof, its payload, and what opens that payload. */
export interface LoggedEvidence {
  readonly index: number;
  readonly entry: Uint8Array;
  /** RFC 6962 audit path under the bundle's checkpoint, leaf's sibling first. */
  readonly proof: readonly Uint8Array[];
  readonly payload: Uint8Array;
  /** HPKE shared secret of this payload alone. */
  readonly sharedSecret: Uint8Array;
}

/** Whose an ephemeral ID was: the authority's word. */
export interface NamedId {
  readonly ephId: Uint8Array;
  readonly tag: TagNumber;
  readonly epoch: Epoch;
}

export interface CitedRecord {
  /** Places in the bundle's reports, and among the records of that report. */
  readonly report: number;
  readonly record: number;
  /** How many of its two beacon MACs are the peer's own: the authority's word. */
  readonly beacons: 1 | 2;
}

export interface EvidenceStep {
  /** Place in the bundle's contacts. */
  readonly contact: number;
  /** The same pair's contacts in the 24 hours up to its end that make it a close one; places, ascending. */
  readonly supports: readonly number[];
}

export interface EvidenceRow {
  readonly person: TagNumber;
  /** Unix seconds. */
  readonly earliestAt: number;
  /** 0 to 1. */
  readonly score: number;
  /** In order of time. */
  readonly steps: readonly EvidenceStep[];
}

export interface EvidenceBundle {
  /** Who signs the bundle, and wrote the access entry. */
  readonly tracerPublicKey: Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  readonly sampleHoldSeconds: number;
  readonly retentionDays: number;
  /** The signed note, verbatim. */
  readonly checkpoint: string;
  readonly access: LoggedEvidence;
  /** By index. */
  readonly reports: readonly LoggedEvidence[];
  /** By ephemeral ID. */
  readonly names: readonly NamedId[];
  /** By their first record; records by report and place. */
  readonly contacts: readonly (readonly CitedRecord[])[];
  readonly sources: readonly EvidenceRow[];
  readonly reached: readonly EvidenceRow[];
}

/** All but the key, which is the signer's. */
type EvidenceContent = Omit<EvidenceBundle, 'tracerPublicKey'>;

/** Signed by the tracer. Throws `size` for more than a bundle may hold, `format` for a number out of its range. */
export function encodeEvidence(content: EvidenceContent, signer: Signer): Uint8Array {
  requireBounds(content);
  const writer = new CborWriter(capacityOf(content))
    .array(FIELDS)
    .text(DOMAIN)
    .bytes(signer.publicKey)
    .bytes(content.issuerPublicKey)
    .uint(content.sampleHoldSeconds)
    .uint(content.retentionDays)
    .text(content.checkpoint);
  writeLogged(writer, content.access);
  writeEach(writer, content.reports, writeLogged);
  writeEach(writer, content.names, writeName);
  writeEach(writer, content.contacts, (_, records) => writeEach(writer, records, writeRecord));
  writeEach(writer, content.sources, writeRow);
  writeEach(writer, content.reached, writeRow);
  const body = writer.finish();
  const bundle = concat(body, signDomain(signer, DOMAIN, body));
  if (bundle.length > MAX_EVIDENCE_BYTES) throw tooLarge(`it would have ${bundle.length} bytes`);
  return bundle;
}

const tooLarge = (why: string) =>
  new FirebreakError('size', `this is too much for one evidence bundle (${why}): let it show fewer people`);

function requireBounds({ reports, names, contacts, sources, reached }: EvidenceContent) {
  const require = (count: number, max: number, what: string): void => {
    if (count > max) throw tooLarge(`${count} ${what}, and at most ${max} fit`);
  };
  require(reports.length, MAX_REPORTS, 'reports');
  require(names.length, MAX_NAMES, 'ephemeral IDs');
  require(contacts.length, MAX_CONTACTS, 'contacts');
  for (const records of contacts) require(records.length, MAX_RECORDS_OF_CONTACT, 'records of one contact');
  for (const rows of [sources, reached]) require(rows.length, MAX_ROWS, 'people');
  for (const { steps } of [...sources, ...reached]) {
    require(steps.length, MAX_STEPS, 'steps of one path');
    for (const { supports } of steps) require(supports.length, MAX_SUPPORTS, 'contacts behind one step');
  }
}

/** At least what is written: nine bytes for each head. */
function capacityOf(content: EvidenceContent): number {
  const { checkpoint, access, reports, names, contacts, sources, reached } = content;
  let capacity = 256 + 4 * Buffer.byteLength(checkpoint);
  for (const { entry, proof, payload } of [access, ...reports])
    capacity += 128 + entry.length + 48 * proof.length + payload.length;
  capacity += 48 * names.length;
  for (const records of contacts) capacity += 9 + 28 * records.length;
  for (const { steps } of [...sources, ...reached])
    capacity += steps.reduce((sum, { supports }) => sum + 32 + 9 * supports.length, 64);
  return capacity;
}

function writeEach<T>(
  writer: CborWriter,
  items: readonly T[],
  write: (writer: CborWriter, item: T) => void,
): void {
  writer.array(items.length);
  for (const item of items) write(writer, item);
}

function writeLogged(
  writer: CborWriter,
  { index, entry, proof, payload, sharedSecret }: LoggedEvidence,
): void {
  writer.array(5).uint(index).bytes(entry);
  writeEach(writer, proof, (_, hash) => void writer.bytes(hash));
  writer.bytes(payload).bytes(sharedSecret);
}

function writeName(writer: CborWriter, { ephId, tag, epoch }: NamedId): void {
  writer.array(3).bytes(ephId).uint(tag).uint(epoch);
}

function writeRecord(writer: CborWriter, { report, record, beacons }: CitedRecord): void {
  writer.array(3).uint(report).uint(record).uint(beacons);
}

function writeRow(writer: CborWriter, { person, earliestAt, score, steps }: EvidenceRow): void {
  const double = Buffer.alloc(SCORE_BYTES);
  double.writeDoubleBE(score);
  writer.array(4).uint(person).uint(earliestAt).bytes(double);
  writeEach(writer, steps, (_, { contact, supports }) => {
    writer.array(2).uint(contact);
    writeEach(writer, supports, (_writer, support) => void writer.uint(support));
  });
}

/**
 * What the bytes hold, nothing of it checked, the signature neither. Throws `format` for any bytes that
 * {@link encodeEvidence} would not write, `size` beyond a bound.
 */
export function decodeEvidence(bytes: Uint8Array): EvidenceBundle {
  if (bytes.length > MAX_EVIDENCE_BYTES)
    throw new FirebreakError('size', 'an evidence bundle is at most 16 MiB: this is not one');
  const reader = new CborReader(bytes.subarray(0, -SIGNATURE_BYTES), 'evidence bundle');
  reader.array({ length: FIELDS });
  if (reader.text(DOMAIN.length) !== DOMAIN)
    throw new FirebreakError('format', 'not an evidence bundle of this version');
  const bundle: EvidenceBundle = {
    tracerPublicKey: reader.bytes(KEY_BYTES),
    issuerPublicKey: reader.bytes(KEY_BYTES),
    sampleHoldSeconds: reader.uint(MAX_SETTING),
    retentionDays: reader.uint(MAX_SETTING),
    checkpoint: reader.text(MAX_CHECKPOINT_BYTES),
    access: readLogged(reader),
    reports: readEach(reader, MAX_REPORTS, readLogged),
    names: readEach(reader, MAX_NAMES, readName),
    contacts: readEach(reader, MAX_CONTACTS, () => readEach(reader, MAX_RECORDS_OF_CONTACT, readRecord)),
    sources: readEach(reader, MAX_ROWS, readRow),
    reached: readEach(reader, MAX_ROWS, readRow),
  };
  reader.end();
  return bundle;
}

/** Throws `signature` unless the tracer signed exactly these bytes. */
export function requireEvidenceSignature(bytes: Uint8Array, tracerPublicKey: Uint8Array): void {
  const body = bytes.subarray(0, -SIGNATURE_BYTES);
  if (verifyDomain(tracerPublicKey, DOMAIN, body, bytes.subarray(-SIGNATURE_BYTES))) return;
  throw new FirebreakError(
    'signature',
    'the bundle is not as the tracer signed it: something in it was changed afterwards',
  );
}

function readEach<T>(reader: CborReader, max: number, read: (reader: CborReader) => T): T[] {
  const items: T[] = [];
  for (let left = reader.array({ max }); left > 0; left--) items.push(read(reader));
  return items;
}

function readLogged(reader: CborReader): LoggedEvidence {
  reader.array({ length: 5 });
  return {
    index: reader.uint(),
    entry: reader.viewUpTo(MAX_ENTRY_LENGTH),
    proof: readEach(reader, MAX_HASHES, () => reader.bytes(HASH_LENGTH)),
    payload: reader.viewUpTo(MAX_PAYLOAD_LENGTH),
    sharedSecret: reader.bytes(KEY_BYTES),
  };
}

function readName(reader: CborReader): NamedId {
  reader.array({ length: 3 });
  return {
    ephId: reader.bytes(EPH_ID_BYTES),
    tag: asTagNumber(reader.uint()),
    epoch: asEpoch(reader.uint()),
  };
}

function readRecord(reader: CborReader): CitedRecord {
  reader.array({ length: 3 });
  const place = { report: reader.uint(MAX_REPORTS - 1), record: reader.uint(MAX_RECORDS - 1) };
  const beacons = reader.uint(2);
  if (beacons === 1 || beacons === 2) return { ...place, beacons };
  throw new FirebreakError('format', 'evidence bundle: a record is proven by one beacon or by two');
}

function readRow(reader: CborReader): EvidenceRow {
  reader.array({ length: 4 });
  return {
    person: asTagNumber(reader.uint()),
    earliestAt: reader.uint(),
    score: readScore(reader),
    steps: readEach(reader, MAX_STEPS, readStep),
  };
}

/** One encoding a score: no −0, nothing that is not a number. */
function readScore(reader: CborReader): number {
  const score = Buffer.from(reader.bytes(SCORE_BYTES)).readDoubleBE();
  if (score >= 0 && score <= 1 && !Object.is(score, -0)) return score;
  throw new FirebreakError('format', 'evidence bundle: a score is a number from 0 to 1');
}

function readStep(reader: CborReader): EvidenceStep {
  reader.array({ length: 2 });
  return {
    contact: reader.uint(MAX_CONTACTS - 1),
    supports: readEach(reader, MAX_SUPPORTS, () => reader.uint(MAX_CONTACTS - 1)),
  };
}
