import { describe, expect, it } from 'vitest';
import { encodeEncounterRecord } from '../../protocol/tag/encounter-record.js';
import { decodeReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import { openMemoryFlash } from '../../firmware-sim/tag/flash-memory.js';
import { closeRecord, openRecord } from '../../firmware-sim/tag/open-record.js';
import {
  afterGivingUp,
  afterReceipt,
  mayBeReported,
  newChain,
  withReportDue,
} from '../../firmware-sim/tag/report-chain.js';
import { MIDNIGHT_MS, sampleAt, SETTINGS } from './samples.js';

const TODAY = MIDNIGHT_MS / 86_400_000;
const always = () => true;
const record = (atMs: number, peer = 1) =>
  encodeEncounterRecord(closeRecord(openRecord(sampleAt(atMs, { peer }), SETTINGS), SETTINGS));

function flashOf(...startsMs: number[]) {
  const flash = openMemoryFlash();
  flash.append(startsMs.map((atMs, peer) => record(atMs, peer)));
  return flash;
}

describe('the report that is due', () => {
  it('is none while nothing is stored', () => {
    const chain = newChain();
    expect(withReportDue(chain, [], always)).toBe(chain);
  });

  it('holds the oldest record and all others of its day, and no other day’s', () => {
    const flash = flashOf(MIDNIGHT_MS - 5000, MIDNIGHT_MS, MIDNIGHT_MS - 1000, MIDNIGHT_MS + 1000);
    const { outstanding } = withReportDue(newChain(), flash.entries(), always);
    expect(outstanding).toMatchObject({ seq: 0, day: TODAY - 1, ids: [0, 2] });
    expect(
      decodeReportPlaintext(outstanding?.plaintext ?? new Uint8Array(0), TODAY - 1).records,
    ).toHaveLength(2);
  });

  it('passes over a day whose key it does not have', () => {
    const flash = flashOf(MIDNIGHT_MS - 5000, MIDNIGHT_MS);
    const { outstanding } = withReportDue(newChain(), flash.entries(), (day) => day === TODAY);
    expect(outstanding).toMatchObject({ day: TODAY, ids: [1] });
  });

  it('holds at most 1,024 records', () => {
    const flash = flashOf(...Array.from({ length: 1030 }, (_, k) => MIDNIGHT_MS + k));
    const { outstanding } = withReportDue(newChain(), flash.entries(), always);
    expect(outstanding?.ids).toHaveLength(1024);
  });

  it('stays the same to the byte while it is outstanding, whatever is logged meanwhile', () => {
    const flash = flashOf(MIDNIGHT_MS);
    const first = withReportDue(newChain(), flash.entries(), always);
    flash.append([record(MIDNIGHT_MS + 1000, 9)]);
    expect(withReportDue(first, flash.entries(), always)).toBe(first);
  });
});

describe('what is worth a visit', () => {
  const isWorthOne = (day: number, canSeal: (day: number) => boolean) =>
    mayBeReported(flashOf(day * 86_400_000).entries(), TODAY, canSeal);

  it('is a record of today or the day before, whose key a gateway brings, and one whose key the tag holds', () => {
    const never = () => false;
    const days = [TODAY - 2, TODAY - 1, TODAY, TODAY + 1, TODAY + 300];
    expect(days.map((day) => isWorthOne(day, never))).toEqual([false, true, true, false, false]);
    expect(days.every((day) => isWorthOne(day, always))).toBe(true);
  });
});

describe('the chain', () => {
  it('names the hash of the receipted report in the next one', () => {
    const flash = flashOf(MIDNIGHT_MS - 5000, MIDNIGHT_MS);
    const hash = new Uint8Array(32).fill(7);
    const first = withReportDue(newChain(), flash.entries(), always);
    expect(decodeReportPlaintext(first.outstanding?.plaintext ?? hash, TODAY - 1).prev).toEqual(
      new Uint8Array(32),
    );
    const receipted = afterReceipt(first, hash);
    expect(receipted).toMatchObject({ nextSeq: 1, prev: hash, delivered: [0], outstanding: undefined });
    flash.free(receipted.delivered);
    const second = withReportDue(receipted, flash.entries(), always);
    expect(decodeReportPlaintext(second.outstanding?.plaintext ?? hash, TODAY)).toMatchObject({
      seq: 1,
      prev: hash,
    });
  });

  it('spends the seq of a report that is given up, and keeps the hash before it', () => {
    const flash = flashOf(MIDNIGHT_MS);
    const chain = afterGivingUp(withReportDue(newChain(), flash.entries(), always));
    expect(chain).toMatchObject({ nextSeq: 1, prev: new Uint8Array(32), outstanding: undefined });
  });
});
