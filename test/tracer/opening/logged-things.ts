/** Entries of every kind a tracer meets: reports that tell something, and such as each rule refuses or sets aside. Made once. */
import { asTagNumber, asUnixMs } from '../../../protocol/brands.js';
import { issueCredential } from '../../../protocol/tag/credential.js';
import { fastSigner } from '../../../protocol/crypto/ed25519.js';
import type { EncounterRecord } from '../../../protocol/tag/encounter-record.js';
import { decodeEntry, ENTRY_TYPE } from '../../../protocol/tlog/entry.js';
import { issuerIdOf, partyIdOf } from '../../../protocol/keys.js';
import { encodeReportPlaintext } from '../../../protocol/tag/report-plaintext.js';
import { REPORT_KINDS, reportHash, sealReport } from '../../../protocol/tag/report.js';
import type { ReportKind } from '../../../protocol/tag/report.js';
import { DAY_SECONDS, dayOf, epochOf } from '../../../protocol/time.js';
import type { OpeningSettings } from '../../../tracer/opening/open-report.js';
import type { LoggedEntry } from '../../../tracer/follow/payloads.js';
import { withFlippedBit } from '../../protocol/errors-of.js';
import {
  dayKeys,
  ephIdOf,
  gateway,
  gatewayEntry,
  issuer,
  NOON,
  presenceOf,
  presenceReportOf,
  recordOf,
  reportOf,
  SAMPLE_HOLD_SECONDS,
} from '../deployment.js';
import type { Appended, MemoryLog } from '../memory-log.js';

export const DAY = dayOf(NOON);
export const settings: OpeningSettings = {
  issuerPublicKey: issuer.publicKey,
  retentionDays: 21,
  sampleHoldSeconds: SAMPLE_HOLD_SECONDS,
};

const NOBODY = { minuteOffset: 0, mac: new Uint8Array(6).fill(1) };
const MIDNIGHT = (DAY + 1) * DAY_SECONDS;

/** One that proves all, one proven by a single beacon, a forged one, one of no tag of ours, and an echo. */
const mixed = (tag: number, peer: number): EncounterRecord[] => [
  recordOf(peer, NOON, 600),
  { ...recordOf(peer, NOON + 900, 300), proofB: NOBODY },
  { ...recordOf(peer, NOON + 1800, 300), proofA: NOBODY, proofB: NOBODY },
  { ...recordOf(peer, NOON + 2700, 60), peerEphId: new Uint8Array(16).fill(peer) },
  recordOf(tag, NOON + 3600, 60),
];

/** Of whatever plaintext, by tag 1, as of NOON + 7200. */
export function sealed(plaintext: Uint8Array, kind: ReportKind = REPORT_KINDS.encounters): Appended {
  const epoch = epochOf(NOON + 7200);
  const signer = fastSigner(new Uint8Array(32).fill(9));
  const ephId = ephIdOf(asTagNumber(1), epoch);
  const gatewayId = partyIdOf(gateway.publicKey);
  const payload = sealReport({
    kind,
    issuerId: issuerIdOf(issuer.publicKey),
    day: DAY,
    sealingPublicKey: dayKeys(DAY).sealingPublicKey,
    credential: issueCredential(issuer, { epoch, ephId, epochPublicKey: signer.publicKey }),
    gatewayId,
    nonce: new Uint8Array(16),
    plaintext,
    signer,
  });
  return { type: ENTRY_TYPE.tagReport, payload, source: gatewayId, sourceTimeMs: (NOON + 7200) * 1000 };
}

const PEERS = [2, 1, 4, 3];
const good = PEERS.map((peer, k) => reportOf({ tag: k + 1, records: mixed(k + 1, peer) }));
const [first, second] = good as [Appended, Appended];
const tellTags = [1, 2, 5, 6].map((tag) =>
  reportOf({ tag, seq: 1, prev: reportHash(first.payload), records: [recordOf(3, NOON + 900 * tag, 700)] }),
);
const plain = encodeReportPlaintext({ seq: 5, prev: new Uint8Array(32), records: [recordOf(2, NOON, 60)] });
const withByte = (at: number, byte: number): Uint8Array => {
  const copy = new Uint8Array(plain);
  copy[at] = byte;
  return copy;
};
const elsewhere = [recordOf(2, NOON + DAY_SECONDS, 60)];

export const THINGS: readonly Appended[] = [
  ...good,
  ...tellTags,
  // a retry under another nonce, a clone, and what names a report that never comes
  reportOf({ tag: 1, records: mixed(1, 2), nonce: 7 }),
  reportOf({ tag: 1, records: [recordOf(4, NOON, 600)] }),
  reportOf({ tag: 3, seq: 9, prev: new Uint8Array(32).fill(3), records: [] }),
  // with the keys of the next day
  reportOf({ tag: 2, seq: 4, at: MIDNIGHT + 600, records: [recordOf(4, MIDNIGHT - 30, 50)] }),
  reportOf({ tag: 2, seq: 5, at: MIDNIGHT + 600, records: [recordOf(5, MIDNIGHT + 30, 50)] }),
  // with an ephemeral ID of the next day
  reportOf({ tag: 2, seq: 6, records: [recordOf(4, MIDNIGHT - 30, 50, epochOf(MIDNIGHT)), ...mixed(2, 4)] }),
  // days whose keys are not always there
  reportOf({ tag: 4, seq: 2, records: [recordOf(5, NOON - 2 * DAY_SECONDS, 600)] }),
  reportOf({ tag: 4, seq: 3, records: [recordOf(5, NOON - 3 * DAY_SECONDS, 600)] }),
  // refused
  { ...first, payload: withFlippedBit(first.payload, 8 * 20) },
  { ...first, payload: withFlippedBit(first.payload, 8 * first.payload.length - 400) },
  { ...first, payload: first.payload.subarray(0, 100) },
  { ...first, payload: new Uint8Array(0) },
  { ...first, source: new Uint8Array(16) },
  { ...first, sourceTimeMs: (NOON + 7200 + 3600) * 1000 },
  sealed(withByte(5, 200)), // prev
  sealed(withByte(37, 9)), // count: another bucket
  sealed(withByte(plain.length - 1, 1)), // padding
  sealed(withByte(38 + 35, 1)), // reserved
  sealed(encodeReportPlaintext({ seq: 1, prev: new Uint8Array(32), records: elsewhere })),
  sealed(new Uint8Array(37 + 3072), REPORT_KINDS.request),
  // no report of a tag
  gatewayEntry(),
  presenceReportOf([presenceOf(1, NOON, 500), presenceOf(2, NOON + 60, 400)]),
  { type: 9, payload: Uint8Array.of(1, 2, 3) },
];

/** One report is pruned, and another lost. */
export function losePayloads(log: MemoryLog): void {
  const prunedAtMs = asUnixMs((NOON + 30 * DAY_SECONDS) * 1000);
  log.pruneBy(second.payload, { day: DAY, prunedAtMs, prunedBy: 0 });
  log.prune(tellTags[3]?.payload ?? first.payload);
}

export const entriesOf = (log: MemoryLog): LoggedEntry[] =>
  log.entries.map((bytes, index) => ({ ...decodeEntry(bytes), index }));
