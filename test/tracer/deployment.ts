/** A small deployment for the tracer's tests: an authority, one gateway, tags that write real sealed reports. Seeds are fixed. */
import { asEpoch, asTagNumber, type Epoch, type TagNumber } from '../../protocol/brands.js';
import { beaconMac } from '../../protocol/tag/beacon.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { issuerIdOf, partyIdOf, type DayKeys } from '../../protocol/keys.js';
import { encodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { sealPresenceReport, type PresenceRecord } from '../../protocol/session/presence-report.js';
import { encodeReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import { sealReport } from '../../protocol/tag/report.js';
import { dayOf, dayOfEpoch, epochOf, minuteOf } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import type { DayKeySource } from '../../tracer/intake/day-key-source.js';
import type { Appended } from './memory-log.js';

const seedOf = (name: string): Uint8Array => sha256(Buffer.from(name));
export const issuer = fastSigner(seedOf('issuer'));
export const gateway = fastSigner(seedOf('gateway'));
const gatewayId = partyIdOf(gateway.publicKey);

/** Noon of some day. */
export const NOON = 20_700 * 86_400 + 43_200;
export const SAMPLE_HOLD_SECONDS = 30;

const made = new Map<number, DayKeys>();
export function dayKeys(day: number): DayKeys {
  const known = made.get(day);
  if (known) return known;
  const { secretKey, publicKey } = x25519KeyPair(seedOf(`sealing ${day}`));
  const keys: DayKeys = {
    day,
    idKey: seedOf(`id ${day}`),
    macKey: seedOf(`mac ${day}`),
    sealingSecretKey: secretKey,
    sealingPublicKey: publicKey,
  };
  made.set(day, keys);
  return keys;
}

/** Holds the keys of the days it is given, as of the last refresh. */
export function keysOf(days: readonly number[]): DayKeySource & { days: readonly number[] } {
  let held = days;
  const source = {
    days,
    of: (day: number) => (held.includes(day) ? dayKeys(day) : undefined),
    refresh: async () => void (held = source.days),
  };
  return source;
}

export const ephIdOf = (tag: TagNumber, epoch: Epoch): Uint8Array =>
  makeEphemeralId(dayKeys(dayOfEpoch(epoch)).idKey, tag, epoch);

function proofOf(tag: TagNumber, epoch: Epoch, start: number, minuteOffset: number, txPowerDbm: number) {
  const ephId = ephIdOf(tag, epoch);
  const authKey = authKeyOf(dayKeys(dayOfEpoch(epoch)).macKey, ephId);
  return { minuteOffset, mac: beaconMac(authKey, txPowerDbm, ephId, minuteOf(start) + minuteOffset) };
}

/** What a tag notes that heard `peer` for `seconds` from `start` on, all of it close by. */
export function recordOf(
  peer: number,
  start: number,
  seconds: number,
  epoch = epochOf(start),
): EncounterRecord {
  const tag = asTagNumber(peer);
  const lastMinute = minuteOf(start + seconds) - minuteOf(start);
  return {
    peerEphId: ephIdOf(tag, epoch),
    start,
    durationSeconds: seconds,
    samples: 2,
    bucketSeconds: [seconds, 0, 0, 0],
    minAttenuationDb: 45,
    medianAttenuationDb: 50,
    peerTxPowerDbm: -4,
    proofA: proofOf(tag, epoch, start, 0, -4),
    proofB: proofOf(tag, epoch, start, lastMinute, -4),
  };
}

/** What a gateway notes of a tag. */
export function presenceOf(tag: number, start: number, seconds: number): PresenceRecord {
  const record = recordOf(tag, start, seconds);
  return { ...record, ephId: record.peerEphId };
}

export interface GivenReport {
  readonly tag: number;
  readonly records: readonly EncounterRecord[];
  readonly seq?: number;
  readonly prev?: Uint8Array;
  /** Unix seconds. */
  readonly at?: number;
  /** Tells a retry from the first sending. */
  readonly nonce?: number;
}

/** A report as its tag seals it, ready to be logged. */
export function reportOf({
  tag,
  records,
  seq = 0,
  prev,
  at = NOON + 7200,
  nonce = 0,
}: GivenReport): Appended {
  const epoch = epochOf(at);
  const signer = fastSigner(seedOf(`tag ${tag} ${epoch}`));
  const ephId = ephIdOf(asTagNumber(tag), epoch);
  const day = dayOf(records[0]?.start ?? at);
  const payload = sealReport({
    issuerId: issuerIdOf(issuer.publicKey),
    day,
    sealingPublicKey: dayKeys(day).sealingPublicKey,
    credential: issueCredential(issuer, { epoch, ephId, epochPublicKey: signer.publicKey }),
    gatewayId,
    nonce: new Uint8Array(16).fill(nonce),
    plaintext: encodeReportPlaintext({ seq, prev: prev ?? new Uint8Array(32), records }),
    signer,
  });
  return { type: ENTRY_TYPE.tagReport, payload, source: gatewayId, sourceTimeMs: at * 1000 };
}

export function presenceReportOf(
  records: readonly PresenceRecord[],
  at = NOON + 7200,
  signer = gateway,
): Appended {
  const day = dayOf(records[0]?.start ?? at);
  const payload = sealPresenceReport({
    gateway: signer,
    issuerId: issuerIdOf(issuer.publicKey),
    day,
    sealingPublicKey: dayKeys(day).sealingPublicKey,
    seq: 0,
    records,
  });
  const source = partyIdOf(signer.publicKey);
  return { type: ENTRY_TYPE.presenceReport, payload, source, sourceTimeMs: at * 1000 };
}

export function gatewayEntry(
  signedBy = issuer,
  { of = gateway, fromDay = dayOf(NOON) }: { readonly of?: Signer; readonly fromDay?: number } = {},
): Appended {
  const certificate = issueGatewayCertificate(signedBy, {
    gatewayPublicKey: of.publicKey,
    fromDay,
    toDay: fromDay + 6,
  });
  const payload = encodeGatewayPayload({
    kind: 'enrolled',
    salt: new Uint8Array(16),
    certificate: encodeGatewayCertificate(certificate),
  });
  return { type: ENTRY_TYPE.gateway, payload };
}

export const epochAt = (unixSeconds: number, later = 0): Epoch => asEpoch(epochOf(unixSeconds) + later);
