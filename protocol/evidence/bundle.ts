/**
 * Evidence bundle of a trace (protocol.md §11, evidence.md): deterministic CBOR (cbor.ts), then a signature.
 *
 *     bundle   body || sig(tracer, version, over the body) 64
 *     body     [version, tracer key 32, issuer key 32, sampleHoldSeconds, retentionDays, checkpoint text,
 *               access, [report, …], [name, …], [contact, …], [source row, …], [reached row, …]]
 *     version  "firebreak/evidence/v1", or "firebreak/evidence/v2" where steps go by presence: then the body
 *              has one item more at its end, presence (presence.ts)
 *     access, report   logged (logged.ts)
 *     name     [ephId 16, tag, epoch]
 *     contact  [record, …] (logged.ts)
 *     row      [tag, earliestAt, score: IEEE 754 double 8, [step, …]]
 *     step     [place of the contact, [places of the pair's contacts that complete it, …]], or by presence
 *              [place of the co-presence]
 *
 * Places count from 0 in the lists of this body. What can be worked out from the reports (times, nearSeconds,
 * hops, the other person of a step) is not in it, so that it cannot differ. Bounds: the constants below; a
 * bundle is at most 16 MiB.
 */
import { asEpoch, asTagNumber } from '../brands.js';
import type { Epoch, TagNumber } from '../brands.js';
import { concat } from '../bytes.js';
import { CborReader, CborWriter } from '../cbor.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import {
  capacityOfProven,
  MAX_REPORTS,
  readEach,
  readLogged,
  readRecord,
  writeEach,
  writeLogged,
  writeRecord,
} from './logged.js';
import type { CitedRecord, LoggedEvidence } from './logged.js';
import {
  capacityOfPresence,
  MAX_COPRESENCES,
  presenceCounts,
  readPresence,
  writePresence,
} from './presence.js';
import type { EvidencePresence } from './presence.js';

/** The first, and the one that shows presence too. */
const VERSIONS = ['firebreak/evidence/v1', 'firebreak/evidence/v2'] as const;
type Version = (typeof VERSIONS)[number];
const [FIRST, WITH_PRESENCE] = VERSIONS;
const FIELDS = 12;
/** What the upper three bits of a CBOR array's first byte are; those of no text are. */
const CBOR_ARRAY = 4;
const KEY_BYTES = 32;
const EPH_ID_BYTES = 16;
const SCORE_BYTES = 8;
export const MAX_EVIDENCE_BYTES = 16 << 20;
const MAX_CHECKPOINT_BYTES = 1 << 20;
const MAX_NAMES = 65_536;
const MAX_CONTACTS = 65_536;
const MAX_RECORDS_OF_CONTACT = 1_024;
const MAX_ROWS = 65_536;
const MAX_STEPS = 16;
/** A pair has some hundred epochs in 24 hours. */
const MAX_SUPPORTS = 256;
const MAX_SETTING = 86_400;

/** Whose an ephemeral ID was: the authority's word. */
export interface NamedId {
  readonly ephId: Uint8Array;
  readonly tag: TagNumber;
  readonly epoch: Epoch;
}

export interface ContactStep {
  /** Place in the bundle's contacts. */
  readonly contact: number;
  /** The same pair's contacts in the 24 hours up to its end that make it a close one; places, ascending. */
  readonly supports: readonly number[];
}

export interface PresenceStep {
  /** Place in the bundle's co-presences. */
  readonly copresence: number;
}

export type EvidenceStep = ContactStep | PresenceStep;

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
  /** Absent where no step goes by it. */
  readonly presence?: EvidencePresence;
}

const versionOf = ({ presence }: Pick<EvidenceBundle, 'presence'>): Version =>
  presence === undefined ? FIRST : WITH_PRESENCE;
const fieldsOf = (version: Version): number => (version === FIRST ? FIELDS : FIELDS + 1);

/** All but the key, which is the signer's. */
type EvidenceContent = Omit<EvidenceBundle, 'tracerPublicKey'>;

/** Signed by the tracer. Throws `size` for more than a bundle may hold, `format` for a number out of its range. */
export function encodeEvidence(content: EvidenceContent, signer: Signer): Uint8Array {
  requireBounds(content);
  const version = versionOf(content);
  const writer = new CborWriter(capacityOf(content))
    .array(fieldsOf(version))
    .text(version)
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
  if (content.presence) writePresence(writer, content.presence);
  const body = writer.finish();
  const bundle = concat(body, signDomain(signer, version, body));
  if (bundle.length > MAX_EVIDENCE_BYTES) throw tooLarge(`it would have ${bundle.length} bytes`);
  return bundle;
}

const tooLarge = (why: string) =>
  new FirebreakError('size', `this is too much for one evidence bundle (${why}): let it show fewer people`);

function requireBounds({ reports, names, contacts, sources, reached, presence }: EvidenceContent) {
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
    for (const step of steps)
      require('copresence' in step ? 0 : step.supports.length, MAX_SUPPORTS, 'contacts behind one step');
  }
  for (const count of presence ? presenceCounts(presence) : []) require(...count);
}

/** At least what is written: nine bytes for each head. */
function capacityOf(content: EvidenceContent): number {
  const { checkpoint, access, reports, names, contacts, sources, reached, presence } = content;
  let capacity = 256 + 4 * Buffer.byteLength(checkpoint);
  for (const logged of [access, ...reports]) capacity += capacityOfProven(logged);
  capacity += 48 * names.length;
  for (const records of contacts) capacity += 9 + 28 * records.length;
  for (const { steps } of [...sources, ...reached])
    capacity += steps.reduce((sum, step) => sum + capacityOfStep(step), 64);
  return capacity + (presence ? capacityOfPresence(presence) : 0);
}

const capacityOfStep = (step: EvidenceStep): number =>
  32 + ('copresence' in step ? 0 : 9 * step.supports.length);

function writeName(writer: CborWriter, { ephId, tag, epoch }: NamedId): void {
  writer.array(3).bytes(ephId).uint(tag).uint(epoch);
}

function writeRow(writer: CborWriter, { person, earliestAt, score, steps }: EvidenceRow): void {
  const double = Buffer.alloc(SCORE_BYTES);
  double.writeDoubleBE(score);
  writer.array(4).uint(person).uint(earliestAt).bytes(double);
  writeEach(writer, steps, writeStep);
}

function writeStep(writer: CborWriter, step: EvidenceStep): void {
  if ('copresence' in step) {
    writer.array(1).uint(step.copresence);
    return;
  }
  writer.array(2).uint(step.contact);
  writeEach(writer, step.supports, (_, support) => void writer.uint(support));
}

/**
 * What the bytes hold, nothing of it checked, the signature neither. Throws `format` for any bytes that
 * {@link encodeEvidence} would not write, `size` beyond a bound.
 */
export function decodeEvidence(bytes: Uint8Array): EvidenceBundle {
  if (bytes.length > MAX_EVIDENCE_BYTES)
    throw new FirebreakError('size', 'an evidence bundle is at most 16 MiB: this is not one');
  if (bytes.length <= SIGNATURE_BYTES || (bytes[0] ?? 0) >> 5 !== CBOR_ARRAY)
    throw new FirebreakError('format', 'not an evidence bundle: it does not begin as one');
  const reader = new CborReader(bytes.subarray(0, -SIGNATURE_BYTES), 'evidence bundle');
  const version = readVersion(reader);
  const row = (): EvidenceRow => readRow(reader, version);
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
    sources: readEach(reader, MAX_ROWS, row),
    reached: readEach(reader, MAX_ROWS, row),
    ...(version === WITH_PRESENCE && { presence: readPresence(reader) }),
  };
  reader.end();
  return bundle;
}

function readVersion(reader: CborReader): Version {
  const fields = reader.array({ max: FIELDS + 1 });
  const text = reader.text(FIRST.length);
  const version = VERSIONS.find((one) => one === text);
  if (version !== undefined && fields === fieldsOf(version)) return version;
  const known = 'not an evidence bundle of version 1 or 2, which are those that this program knows';
  throw new FirebreakError(
    'format',
    version === undefined ? known : 'an evidence bundle with another number of parts than its version has',
  );
}

/** Of a bundle as it was decoded from these bytes. Throws `signature` unless its tracer signed exactly these. */
export function requireEvidenceSignature(
  bytes: Uint8Array,
  bundle: Pick<EvidenceBundle, 'tracerPublicKey' | 'presence'>,
): void {
  const { tracerPublicKey } = bundle;
  const body = bytes.subarray(0, -SIGNATURE_BYTES);
  if (verifyDomain(tracerPublicKey, versionOf(bundle), body, bytes.subarray(-SIGNATURE_BYTES))) return;
  throw new FirebreakError(
    'signature',
    'the bundle is not as the tracer signed it: something in it was changed afterwards',
  );
}

function readName(reader: CborReader): NamedId {
  reader.array({ length: 3 });
  return {
    ephId: reader.bytes(EPH_ID_BYTES),
    tag: asTagNumber(reader.uint()),
    epoch: asEpoch(reader.uint()),
  };
}

function readRow(reader: CborReader, version: Version): EvidenceRow {
  reader.array({ length: 4 });
  return {
    person: asTagNumber(reader.uint()),
    earliestAt: reader.uint(),
    score: readScore(reader),
    steps: readEach(reader, MAX_STEPS, () => readStep(reader, version)),
  };
}

/** One encoding a score: no −0, nothing that is not a number. */
function readScore(reader: CborReader): number {
  const score = Buffer.from(reader.bytes(SCORE_BYTES)).readDoubleBE();
  if (score >= 0 && score <= 1 && !Object.is(score, -0)) return score;
  throw new FirebreakError('format', 'evidence bundle: a score is a number from 0 to 1');
}

function readStep(reader: CborReader, version: Version): EvidenceStep {
  const parts = reader.array(version === FIRST ? { length: 2 } : { max: 2 });
  if (parts === 1) return { copresence: reader.uint(MAX_COPRESENCES - 1) };
  if (parts === 0) throw new FirebreakError('format', 'evidence bundle: a step of nothing');
  return {
    contact: reader.uint(MAX_CONTACTS - 1),
    supports: readEach(reader, MAX_SUPPORTS, () => reader.uint(MAX_CONTACTS - 1)),
  };
}
