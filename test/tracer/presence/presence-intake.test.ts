/** From sealed presence reports to stays. */
import { describe, expect, it } from 'vitest';
import { asUnixMs } from '../../../protocol/brands.js';
import { ENTRY_TYPE } from '../../../protocol/tlog/entry.js';
import type { PresenceRecord } from '../../../protocol/session/presence-report.js';
import { DoubtShelf } from '../../../tracer/intake/doubts.js';
import { GatewayBook } from '../../../tracer/intake/gateway-book.js';
import { PresenceIntake } from '../../../tracer/intake/presence-intake.js';
import { PresenceBook } from '../../../tracer/presence/presence-book.js';
import {
  dayKeys,
  gatewayEntry,
  issuer,
  NOON,
  presenceOf,
  presenceReportOf,
  SAMPLE_HOLD_SECONDS,
} from '../deployment.js';

function intake() {
  const presence = new PresenceBook({ personOf: (tag) => tag });
  const gateways = new GatewayBook(issuer.publicKey);
  gateways.take(gatewayEntry().payload, 0);
  const reader = new PresenceIntake({
    ...{ issuerPublicKey: issuer.publicKey, retentionDays: 21, sampleHoldSeconds: SAMPLE_HOLD_SECONDS },
    ...{ dayKeysOf: dayKeys, doubts: new DoubtShelf(), gateways, presence },
  });
  const take = (records: readonly PresenceRecord[]): void => {
    const { payload, source, sourceTimeMs = 0 } = presenceReportOf(records);
    const times = { sourceTimeMs: asUnixMs(sourceTimeMs), appendedAtMs: asUnixMs((NOON + 7200) * 1000) };
    const blank = new Uint8Array(32);
    const entry = { type: ENTRY_TYPE.presenceReport, index: 1, source: source ?? blank, ...times };
    reader.take(
      { ...entry, payloadSha256: blank, previousLeaf: blank, sourceSeq: 0, payloadLength: payload.length },
      payload,
    );
  };
  return { take, reader, presence };
}

describe('presence reports', () => {
  it('become stays, and add nothing when they come again', () => {
    const { take, reader, presence } = intake();
    const records = [presenceOf(3, NOON, 500), presenceOf(3, NOON + 900, 400), presenceOf(8, NOON, 60)];
    take(records.slice(1));
    take(records);
    take(records);
    const stay = { person: 3, gateway: 0, start: NOON, end: NOON + 500 };
    expect(presence.view().staysOf(3)).toEqual([stay, { ...stay, start: NOON + 900, end: NOON + 1300 }]);
    expect(presence.view().staysOf(8)).toEqual([{ ...stay, person: 8, end: NOON + 60 }]);
    expect(reader.counts).toMatchObject({ opened: 3, records: 8, forged: 0 });
  });

  it('count no longer than their beacons vouch for, and not at all when the first or both are forged', () => {
    const { take, presence } = intake();
    const record = presenceOf(3, NOON, 600);
    const forged = { minuteOffset: 0, mac: new Uint8Array(6).fill(1) };
    const [lastAlone, none] = [presenceOf(7, NOON, 600), presenceOf(8, NOON, 600)];
    take([
      { ...record, proofB: forged },
      { ...lastAlone, proofA: forged },
      { ...none, proofA: forged, proofB: forged },
    ]);
    expect(presence.view().staysOf(3)).toMatchObject([{ start: NOON, end: NOON + 60 + SAMPLE_HOLD_SECONDS }]);
    expect([7, 8].flatMap((person) => presence.view().staysOf(person))).toEqual([]);
  });
});
