/** Records from near midnight whose ephemeral ID is of a day of which the keys come after those of their report. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EncounterRecord } from '../../../protocol/tag/encounter-record.js';
import { silentLog } from '../../../protocol/log.js';
import { DAY_SECONDS, dayOf, epochOf } from '../../../protocol/time.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import type { Tracer } from '../../../tracer/tracer.js';
import { memoryCheckpointStore } from '../../../tracer/follow/checkpoint-store.js';
import { standingIn } from '../contacts/all-contacts.js';
import { epochAt, gatewayEntry, keysOf, NOON, presenceReportOf, recordOf, reportOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import type { Appended } from '../memory-log.js';
import { tracerOn } from '../tracer-on.js';

const DAY = dayOf(NOON);
const MORNING = DAY * DAY_SECONDS;
const MIDNIGHT = MORNING + DAY_SECONDS;
const NOBODY = { minuteOffset: 0, mac: new Uint8Array(6).fill(1) };

/** Heard just before midnight by an ID of the day after, and just after it by one of the day before. */
const ofTomorrow = (peer: number, before = 30): EncounterRecord =>
  recordOf(peer, MIDNIGHT - before, 90, epochAt(MIDNIGHT));
const ofYesterday = (peer: number): EncounterRecord =>
  recordOf(peer, MORNING + 40, 200, epochAt(MORNING, -1));
const forged = (record: EncounterRecord): EncounterRecord => ({ ...record, proofA: NOBODY, proofB: NOBODY });
const byGateway = (records: readonly EncounterRecord[]): Appended =>
  presenceReportOf(records.map((record) => ({ ...record, ephId: record.peerEphId })));

const first = {
  tag: 1,
  records: [
    recordOf(3, NOON, 600),
    ofTomorrow(2),
    forged(ofTomorrow(4)),
    { ...ofTomorrow(5, 60), proofB: NOBODY },
    ofTomorrow(1, 50), // an echo
    { ...ofTomorrow(2, 20), peerEphId: new Uint8Array(16).fill(9) },
    recordOf(2, MIDNIGHT - 121, 100, epochAt(MIDNIGHT)), // too early for tomorrow's
    recordOf(6, MIDNIGHT - 30, 20),
    ofYesterday(2),
    forged(ofYesterday(3)),
  ],
};
const told: readonly Appended[] = [
  gatewayEntry(),
  reportOf(first),
  reportOf({ ...first, nonce: 1 }),
  reportOf({ ...first, records: [ofTomorrow(6)] }),
  reportOf({ tag: 2, records: [ofTomorrow(1, 20)] }),
  byGateway([ofTomorrow(1), forged(ofTomorrow(3)), recordOf(4, NOON, 300), ofYesterday(5)]),
  byGateway([ofTomorrow(2, 40)]),
];

function logged(entries = told): MemoryLog {
  const log = new MemoryLog();
  log.nowMs = NOON * 1000;
  for (const entry of entries) log.append(entry);
  return log;
}

function madeOf(tracer: Tracer) {
  const { counts, presence, missingPayloads, waiting } = tracer.status();
  const evidence = tracer.doubts().map((one) => JSON.stringify(one));
  const contacts = standingIn(tracer).map(({ a, b, epoch, bucketSeconds, ledger, mutual }) => {
    return { a, b, epoch, bucketSeconds, ledger, mutual };
  });
  return { counts, presence, missingPayloads, waiting, evidence: evidence.sort(), contacts, span: tracer.span({ presence: true }) }; // prettier-ignore
}

const nearMidnight = (tracer: Tracer): number =>
  standingIn(tracer).filter(({ epoch }) => epoch === epochOf(MIDNIGHT)).length;

describe('a record from near midnight', () => {
  let dir = '';
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'firebreak-midnight-'))));
  afterAll(() => rm(dir, { recursive: true }));

  it('counts, when the keys of the day it needs come late, as if they had been there', async () => {
    const atOnce = tracerOn(logged());
    await atOnce.catchUp();
    const keys = keysOf([DAY]);
    const log = logged();
    const tracer = tracerOn(log, { dayKeys: keys });
    await tracer.catchUp();
    expect([nearMidnight(atOnce), nearMidnight(tracer)]).toEqual([2, 0]);
    for (const days of [
      [DAY, DAY + 1],
      [DAY - 1, DAY, DAY + 1],
    ]) {
      // prettier-ignore
      keys.days = days;
      await tracer.catchUp();
    }
    expect(madeOf(tracer)).toEqual(madeOf(atOnce));
    expect(tracer.status().counts).toMatchObject({
      repeated: 1,
      clones: 1,
      forged: 2,
      partial: 1,
      unresolved: 3,
    });
    await tracer.catchUp();
    expect(madeOf(tracer)).toEqual(madeOf(atOnce));
  });

  it('needs neither the keys of its report nor the report any more', async () => {
    const keys = keysOf([DAY]);
    const log = logged();
    const tracer = tracerOn(log, { dayKeys: keys });
    await tracer.catchUp();
    for (const { payload } of told) log.prune(payload);
    keys.days = [DAY - 1, DAY + 1];
    await tracer.catchUp();
    const atOnce = tracerOn(logged());
    await atOnce.catchUp();
    expect(madeOf(tracer)).toEqual(madeOf(atOnce));
  });

  it('waits from life to life, and is taken once', async () => {
    const log = logged();
    const checkpoints = memoryCheckpointStore();
    const opened = async (days: readonly number[]): Promise<Tracer> => {
      const contacts = await openContactStore(join(dir, 'lives'), { log: silentLog });
      const tracer = tracerOn(log, { contacts, checkpoints, dayKeys: keysOf(days) });
      await tracer.catchUp();
      return tracer;
    };
    for (const days of [[DAY], [DAY], [DAY, DAY + 1], [DAY - 1, DAY, DAY + 1]])
      await (await opened(days)).close();
    const last = await opened([DAY]);
    const atOnce = tracerOn(logged());
    await atOnce.catchUp();
    expect(madeOf(last)).toEqual(madeOf(atOnce));
    await last.close();
  });

  it('is given up when a day that it needs leaves retention', async () => {
    const keys = keysOf([DAY]);
    const log = logged();
    const tracer = tracerOn(log, { dayKeys: keys, retentionDays: 2 });
    await tracer.catchUp();
    log.passTo((NOON + 2 * DAY_SECONDS) * 1000);
    await tracer.catchUp();
    keys.days = [DAY - 1, DAY];
    await tracer.catchUp();
    expect(tracer.status().counts).toMatchObject({ forged: 0, unresolved: 9 });
    log.passTo((NOON + 3 * DAY_SECONDS) * 1000);
    await tracer.catchUp();
    keys.days = [DAY, DAY + 1];
    await tracer.catchUp();
    expect(tracer.status().counts).toMatchObject({ forged: 0, unresolved: 9 });
  });
});
