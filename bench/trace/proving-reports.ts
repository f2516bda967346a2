/** Sealed tag reports in which every record proves a contact of its own. */
import { randomBytes } from 'node:crypto';
import { asTagNumber } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { issuerIdOf, partyIdOf } from '../../protocol/keys.js';
import type { DayKeys } from '../../protocol/keys.js';
import { beaconMac } from '../../protocol/tag/beacon.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { encodeReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import { sealReport } from '../../protocol/tag/report.js';
import { DAY_SECONDS, epochOf, minuteOf } from '../../protocol/time.js';

/** Tags 1, 2, … report, those after them are met. */
const TAGS = 500;
const PEERS = 5_000;
/** Of the day, before noon. */
const STARTS_WITHIN_SECONDS = 40_000;
const SECONDS = 600;
const TX_POWER_DBM = -4;

export interface Wanted {
  readonly issuer: Signer;
  readonly gateway: Signer;
  /** Of the day of all reports. */
  readonly keys: DayKeys;
  /** When they are sealed, unix seconds: noon of that day or later. */
  readonly atSeconds: number;
  readonly reports: number;
  readonly records: number;
}

/** Payloads: of each tag in its turn, each time about others. */
export function provingReports(wanted: Wanted): Uint8Array[] {
  const { issuer, gateway, keys, atSeconds, reports, records } = wanted;
  const epoch = epochOf(atSeconds);
  const tags = Array.from({ length: TAGS }, (_, k) => {
    const signer = fastSigner(randomBytes(32));
    const ephId = makeEphemeralId(keys.idKey, asTagNumber(k + 1), epoch);
    return {
      signer,
      credential: issueCredential(issuer, { epoch, ephId, epochPublicKey: signer.publicKey }),
    };
  });
  const common = {
    issuerId: issuerIdOf(issuer.publicKey),
    day: keys.day,
    sealingPublicKey: keys.sealingPublicKey,
    gatewayId: partyIdOf(gateway.publicKey),
    prev: new Uint8Array(32),
  };
  return Array.from({ length: reports }, (_, k) => {
    const tag = tags[k % TAGS];
    if (tag === undefined) throw new Error('there are no tags');
    const noted = Array.from({ length: records }, (_, place) => recordOf(keys, k, place));
    const seq = Math.floor(k / TAGS);
    const plaintext = encodeReportPlaintext({ seq, prev: common.prev, records: noted });
    return sealReport({ ...common, ...tag, nonce: randomBytes(16), plaintext });
  });
}

function recordOf(keys: DayKeys, k: number, place: number): EncounterRecord {
  const peer = asTagNumber(TAGS + 1 + ((k * 7 + place * 13) % PEERS));
  const start = keys.day * DAY_SECONDS + ((k * 31 + place * 337) % STARTS_WITHIN_SECONDS);
  const ephId = makeEphemeralId(keys.idKey, peer, epochOf(start));
  const authKey = authKeyOf(keys.macKey, ephId);
  const proof = (minuteOffset: number) => ({
    minuteOffset,
    mac: beaconMac(authKey, TX_POWER_DBM, ephId, minuteOf(start) + minuteOffset),
  });
  return {
    peerEphId: ephId,
    start,
    durationSeconds: SECONDS,
    samples: 2,
    bucketSeconds: [SECONDS, 0, 0, 0],
    minAttenuationDb: 45,
    medianAttenuationDb: 50,
    peerTxPowerDbm: TX_POWER_DBM,
    proofA: proof(0),
    proofB: proof(minuteOf(start + SECONDS) - minuteOf(start)),
  };
}
