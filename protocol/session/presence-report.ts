/**
 * Gateway presence report (protocol.md §8): who was heard at a gateway, kind 2.
 *
 *     0x01 || 0x02 || issuerId 4 || day u32 || gatewayId 16 || seq u32 || enc 32 || ctLen u16 || ciphertext
 *        || sig(gateway, "firebreak/presence/v1")
 *     plaintext  count u16 || records 42·count || zeros up to 2 + 42·B
 *     record     ephId 16 | start u32 | duration u16 | samples u16 | minAtt u8 | medianAtt u8 | txPower i8 | 0
 *                | proofA 7 | proofB 7
 *
 *     HPKE info = "firebreak/presence/v1", aad = bytes [0,30)
 */
import { ByteReader, ByteWriter, concat, equalBytes, isZero } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import type { EncounterRecord } from '../tag/encounter-record.js';
import { FirebreakError } from '../errors.js';
import { hpkeDecap, hpkeOpenWith, hpkeSeal } from '../crypto/hpke.js';
import { issuerIdOf, partyIdOf } from '../keys.js';
import { isAcceptedDay } from '../tag/report-check.js';
import type { ReportContext } from '../tag/report-check.js';
import type { DayKeysOf } from '../tag/report-open.js';
import { bucketFor, MAX_RECORDS } from '../tag/report-plaintext.js';
import { dayOf } from '../time.js';

const DOMAIN = 'firebreak/presence/v1';
const INFO = Buffer.from(DOMAIN, 'latin1');
const VERSION = 1;
const KIND = 2;
const AAD_BYTES = 30;
const RECORD_BYTES = 42;
const HPKE_TAG_BYTES = 16;

/** An encounter record without the seconds per bucket. */
export type PresenceRecord = Omit<EncounterRecord, 'bucketSeconds' | 'peerEphId'> & {
  readonly ephId: Uint8Array;
};

export interface PresenceReport {
  readonly issuerId: Uint8Array;
  readonly day: number;
  readonly gatewayId: Uint8Array;
  /** The gateway's own count of presence reports. */
  readonly seq: number;
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Sealed to the day's key and signed. Throws `bucket` for more than {@link MAX_RECORDS}, `sealing` for a key
 * of small order.
 */
export function sealPresenceReport(given: {
  readonly gateway: Signer;
  readonly issuerId: Uint8Array;
  readonly day: number;
  readonly sealingPublicKey: Uint8Array;
  readonly seq: number;
  readonly records: readonly PresenceRecord[];
  readonly ephemeralSecretKey?: Uint8Array;
}): Uint8Array {
  const aad = new ByteWriter(AAD_BYTES)
    .u8(VERSION)
    .u8(KIND)
    .bytes(given.issuerId)
    .u32(given.day)
    .bytes(partyIdOf(given.gateway.publicKey))
    .u32(given.seq)
    .finish();
  const { enc, ciphertext } = hpkeSeal({
    recipientPublicKey: given.sealingPublicKey,
    info: INFO,
    aad,
    plaintext: encodePresence(given.records),
    ...(given.ephemeralSecretKey && { ephemeralSecretKey: given.ephemeralSecretKey }),
  });
  const body = concat(aad, enc, new ByteWriter(2).u16(ciphertext.length).finish(), ciphertext);
  return concat(body, signDomain(given.gateway, DOMAIN, body));
}

/** Throws `format`. */
export function decodePresenceReport(bytes: Uint8Array): PresenceReport {
  const reader = new ByteReader(bytes, 'presence report');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a presence report of another version');
  if (reader.u8() !== KIND) throw new FirebreakError('format', 'a report of another kind than presence');
  const head = {
    issuerId: reader.take(4),
    day: reader.u32(),
    gatewayId: reader.take(16),
    seq: reader.u32(),
    enc: reader.take(32),
  };
  const ciphertextBytes = reader.u16();
  if (!isPresenceLength(ciphertextBytes - HPKE_TAG_BYTES)) {
    throw new FirebreakError('format', `no presence report has a sealed part of ${ciphertextBytes} bytes`);
  }
  const sealed = { ciphertext: reader.take(ciphertextBytes), signature: reader.take(SIGNATURE_BYTES) };
  reader.end();
  return { ...head, ...sealed, bytes };
}

/** As checkReport, for kind 2. Throws `format`, `issuer`, `report-signature`, `day` or `session`. */
export function checkPresenceReport(
  bytes: Uint8Array,
  context: ReportContext & { readonly gatewayPublicKey: Uint8Array },
): PresenceReport {
  const report = decodePresenceReport(bytes);
  if (!equalBytes(report.issuerId, issuerIdOf(context.issuerPublicKey))) {
    throw new FirebreakError('issuer', 'the presence report names another issuer');
  }
  const body = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  if (!verifyDomain(context.gatewayPublicKey, DOMAIN, body, report.signature)) {
    throw new FirebreakError('report-signature', 'the presence report is not signed by its gateway');
  }
  if (!isAcceptedDay(report.day, context.receivedAtMs / 1000, context.retentionDays)) {
    throw new FirebreakError('day', 'the presence report is of a day that is not accepted now');
  }
  if (equalBytes(report.gatewayId, context.gatewayId)) return report;
  throw new FirebreakError('session', 'the presence report is of another gateway');
}

/** Throws `sealing`, `bucket`, `padding`, `reserved` or `record-day`. */
export function openPresenceReport(report: PresenceReport, dayKeysOf: DayKeysOf): readonly PresenceRecord[] {
  return readPresenceReport(report, presenceSecret(report, dayKeysOf));
}

/**
 * The HPKE shared secret of this one presence report (protocol.md §11), 32 bytes: it opens the report and
 * nothing else. Throws `sealing`, also when the day's keys are gone.
 */
export function presenceSecret(report: PresenceReport, dayKeysOf: DayKeysOf): Uint8Array {
  const keys = dayKeysOf(report.day);
  if (!keys) throw new FirebreakError('sealing', `there are no keys of day ${report.day}`);
  const recipient = { recipientSecretKey: keys.sealingSecretKey, recipientPublicKey: keys.sealingPublicKey };
  return hpkeDecap(recipient, report.enc);
}

/** What a checked presence report says, with nothing but its shared secret. Throws as {@link openPresenceReport}. */
export function readPresenceReport(
  { bytes, ciphertext, day }: PresenceReport,
  sharedSecret: Uint8Array,
): readonly PresenceRecord[] {
  const aad = bytes.subarray(0, AAD_BYTES);
  return decodePresence(hpkeOpenWith(sharedSecret, { info: INFO, aad, ciphertext }), day);
}

function isPresenceLength(bytes: number): boolean {
  const count = (bytes - 2) / RECORD_BYTES;
  return Number.isInteger(count) && count > 0 && bucketFor(count) === count;
}

function encodePresence(records: readonly PresenceRecord[]): Uint8Array {
  const bucket = bucketFor(records.length);
  if (bucket === undefined)
    throw new FirebreakError('bucket', `a presence report holds ${MAX_RECORDS} records`);
  const writer = new ByteWriter(2 + RECORD_BYTES * bucket).u16(records.length);
  for (const record of records) {
    writer.bytes(record.ephId).u32(record.start).u16(record.durationSeconds).u16(record.samples);
    writer.u8(record.minAttenuationDb).u8(record.medianAttenuationDb).i8(record.peerTxPowerDbm).u8(0);
    for (const proof of [record.proofA, record.proofB]) writer.u8(proof.minuteOffset).bytes(proof.mac);
  }
  return writer.bytes(new Uint8Array(RECORD_BYTES * (bucket - records.length))).finish();
}

function decodePresence(bytes: Uint8Array, day: number): readonly PresenceRecord[] {
  const reader = new ByteReader(bytes, 'presence plaintext');
  const count = reader.u16();
  const bucket = bucketFor(count);
  if (bucket === undefined || bytes.length !== 2 + RECORD_BYTES * bucket) {
    throw new FirebreakError(
      'bucket',
      'a presence report is padded to another bucket than its count asks for',
    );
  }
  if (!isZero(bytes.subarray(2 + RECORD_BYTES * count))) {
    throw new FirebreakError('padding', 'the padding of a presence report is not zero');
  }
  const records = Array.from({ length: count }, () => readRecord(reader));
  if (records.some((record) => dayOf(record.start) !== day)) {
    throw new FirebreakError('record-day', 'a presence record starts on another day than its report is of');
  }
  return records;
}

function readRecord(reader: ByteReader): PresenceRecord {
  return {
    ephId: reader.take(16),
    start: reader.u32(),
    durationSeconds: reader.u16(),
    samples: reader.u16(),
    minAttenuationDb: reader.u8(),
    medianAttenuationDb: reader.u8(),
    peerTxPowerDbm: readPower(reader),
    proofA: { minuteOffset: reader.u8(), mac: reader.take(6) },
    proofB: { minuteOffset: reader.u8(), mac: reader.take(6) },
  };
}

/** The tag's power and the zero byte after it. */
function readPower(reader: ByteReader): number {
  const powerDbm = reader.i8();
  if (reader.u8() === 0) return powerDbm;
  throw new FirebreakError('reserved', 'a reserved byte of a presence record is not zero');
}
