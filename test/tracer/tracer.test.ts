/** From sealed reports in a log to contacts: the whole of the room, on real cryptography. */
import { describe, expect, it } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { reportHash } from '../../protocol/tag/report.js';
import { dayOf } from '../../protocol/time.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import type { Tracer, TracerDeps } from '../../tracer/tracer.js';
import {
  epochAt,
  gatewayEntry,
  gateway,
  keysOf,
  NOON,
  presenceOf,
  presenceReportOf,
  recordOf,
  reportOf,
} from './deployment.js';
import { contactsIn, standingIn } from './contacts/all-contacts.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);

async function read(log: MemoryLog, changes?: Partial<TracerDeps>): Promise<Tracer> {
  const tracer = tracerOn(log, changes);
  await tracer.catchUp();
  return tracer;
}

describe('a tracer', () => {
  it('merges what both sides report into one mutual contact with both entries as evidence', async () => {
    const log = new MemoryLog().fill(3);
    log.append(reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] }));
    log.append(reportOf({ tag: 3, records: [recordOf(8, NOON + 10, 640)] }));
    const tracer = await read(log);
    expect(contactsIn(tracer)).toEqual([
      {
        a: 3,
        b: 8,
        epoch: epochAt(NOON),
        start: NOON,
        end: NOON + 650,
        bucketSeconds: [640, 0, 0, 0],
        attenuationDb: 50,
        mutual: true,
        partial: false,
        ledger: [3, 4],
      },
    ]);
    expect(tracer.status()).toMatchObject({ entries: 5, contacts: 1, mutual: 1, people: 2, gaps: 0 });
    expect(tracer.span()).toEqual({ from: NOON, to: NOON + 650 });
  });

  it('sets a record with forged beacon MACs apart as evidence, and makes no contact of it', async () => {
    const log = new MemoryLog();
    const genuine = recordOf(3, NOON, 600);
    const mac = new Uint8Array(6).fill(1);
    const forged = {
      ...recordOf(4, NOON, 600),
      proofA: { minuteOffset: 0, mac },
      proofB: { minuteOffset: 1, mac },
    };
    const index = log.append(reportOf({ tag: 8, records: [genuine, forged] }));
    const tracer = await read(log);
    expect(contactsIn(tracer).map(({ a, b }) => [a, b])).toEqual([[3, 8]]);
    expect(tracer.status().counts).toMatchObject({ records: 2, forged: 1 });
    expect(tracer.doubts()).toEqual([{ kind: 'forged-beacon', ledger: [index], record: 1, day: DAY }]);
  });

  it('takes of two records of one ID and start the one whose power the MACs are of, also when it comes second', async () => {
    const log = new MemoryLog();
    const genuine = recordOf(3, NOON, 600);
    const ofAnotherPower = { ...genuine, peerTxPowerDbm: genuine.peerTxPowerDbm + 20 };
    const index = log.append(reportOf({ tag: 8, records: [ofAnotherPower, genuine] }));
    const tracer = await read(log);
    expect(contactsIn(tracer)).toMatchObject([{ a: 3, b: 8, partial: false }]);
    expect(tracer.doubts()).toEqual([{ kind: 'forged-beacon', ledger: [index], record: 0, day: DAY }]);
  });

  it('takes a beacon that was replayed two minutes after it was sent for forged', async () => {
    const log = new MemoryLog();
    const sent = recordOf(3, NOON, 60);
    log.append(reportOf({ tag: 8, records: [{ ...sent, start: NOON + 120 }] }));
    const tracer = await read(log);
    expect(tracer.status()).toMatchObject({ contacts: 0, counts: { forged: 1 } });
  });

  it('does not know an ephemeral ID that was relayed on another day', async () => {
    const log = new MemoryLog();
    const sent = recordOf(3, NOON - 86_400, 600);
    const relayed = { ...recordOf(3, NOON, 600), peerEphId: sent.peerEphId };
    log.append(reportOf({ tag: 8, records: [relayed] }));
    const tracer = await read(log);
    expect(tracer.status()).toMatchObject({ contacts: 0, counts: { unresolved: 1, forged: 0 } });
  });

  it('does not count a tag that heard itself', async () => {
    const log = new MemoryLog();
    log.append(reportOf({ tag: 8, records: [recordOf(8, NOON, 600)] }));
    expect((await read(log)).status()).toMatchObject({ contacts: 0, counts: { unresolved: 1 } });
  });

  it('marks a contact proven by one beacon only as partial, and cuts it to a minute and the hold', async () => {
    const log = new MemoryLog();
    const record = recordOf(3, NOON, 600);
    const forgedB = { ...record, proofB: { minuteOffset: 10, mac: new Uint8Array(6) } };
    log.append(reportOf({ tag: 8, records: [forgedB] }));
    const tracer = await read(log);
    expect(contactsIn(tracer)).toMatchObject([
      { partial: true, mutual: false, bucketSeconds: [90, 0, 0, 0] },
    ]);
    expect(tracer.status().counts.partial).toBe(1);
  });

  it('refuses a report that was changed after it was signed', async () => {
    const log = new MemoryLog();
    const { payload, ...rest } = reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] });
    const tampered = new Uint8Array(payload);
    tampered[200] = (tampered[200] ?? 0) ^ 1;
    log.append({ ...rest, payload: tampered });
    const { counts, contacts } = (await read(log)).status();
    expect([...counts.refused]).toEqual([['report-signature', 1]]);
    expect(contacts).toBe(0);
  });

  it('refuses a report that another gateway logged as its own', async () => {
    const log = new MemoryLog();
    log.append({
      ...reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] }),
      source: new Uint8Array(16).fill(9),
    });
    expect([...(await read(log)).status().counts.refused]).toEqual([['session', 1]]);
  });

  it('counts reports of a pruned day apart, and their successors leave no gap', async () => {
    const log = new MemoryLog();
    const pruned = reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] });
    const at = NOON + 10 * 86_400;
    const prev = reportHash(pruned.payload);
    log.append(pruned);
    log.append(reportOf({ tag: 8, seq: 1, prev, at: at + 7200, records: [recordOf(4, at, 300)] }));
    const dayKeys = keysOf([DAY + 10]);
    expect((await read(log, { dayKeys })).status()).toMatchObject({ waiting: 1, gaps: 1 });
    const word = { day: DAY, prunedAtMs: asUnixMs((DAY + 22) * 86_400_000), prunedBy: 2 };
    log.pruneBy(pruned.payload, word);
    expect((await read(log, { dayKeys })).status()).toMatchObject({
      prunedPayloads: 1,
      missingPayloads: 0,
      waiting: 0,
      gaps: 0,
      contacts: 1,
    });
  });

  it('takes no ledger’s word for a report that is pruned before its day could be', async () => {
    const log = new MemoryLog();
    const report = reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] });
    log.append(report);
    const prunedAtMs = asUnixMs((DAY + 22) * 86_400_000);
    for (const lie of [
      { day: DAY, prunedAtMs: asUnixMs(prunedAtMs - 1), prunedBy: 1 },
      { day: DAY + 2, prunedAtMs: asUnixMs(prunedAtMs + 2 * 86_400_000), prunedBy: 1 },
      { day: DAY - 22, prunedAtMs, prunedBy: 1 },
    ]) {
      log.pruneBy(report.payload, lie);
      expect((await read(log)).status()).toMatchObject({ prunedPayloads: 0, missingPayloads: 1 });
    }
  });

  it('goes on past reports that the ledger holds damaged, counts them as missing, and says so', async () => {
    const log = new MemoryLog();
    const reader = log.reader();
    const damaged = new Set<string>();
    for (let seq = 0; seq < 40; seq++) {
      const report = reportOf({ tag: 8 + seq, records: [recordOf(3, NOON, 600)] });
      log.append(report);
      if (seq === 13 || seq === 14) damaged.add(toHex(sha256(report.payload)));
    }
    const [said, calls] = [[] as unknown[], { count: 0 }];
    const payloads: typeof reader.payloads = async (hashes) => {
      calls.count += 1;
      if (!hashes.some((hash) => damaged.has(toHex(hash)))) return reader.payloads(hashes);
      throw new FirebreakError('damaged-payload', 'one of them is not the one that was logged');
    };
    const note = (...words: unknown[]): void => void said.push(words);
    const given = { reader: { ...reader, payloads }, log: { info: note, warn: note, error: note } };
    const status = (await read(log, given)).status();
    expect(status).toMatchObject({ missingPayloads: 2, contacts: 38, counts: { opened: 38 } });
    expect(calls.count).toBeLessThan(20);
    expect(said).toEqual([
      [
        expect.stringMatching(/damaged in the ledger.* firebreak ledger fsck --data-dir DIR/),
        { count: 2, firstEntry: 13 },
      ],
      [expect.stringMatching(/answers lack what they tell/), { about: 'missing reports' }],
    ]);
  });

  it('counts a report whose payload is gone, or is not what its entry names, as missing', async () => {
    const log = new MemoryLog();
    const pruned = reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] });
    const swapped = reportOf({ tag: 3, records: [recordOf(8, NOON, 600)] });
    log.append(pruned);
    log.append(swapped);
    log.prune(pruned.payload);
    for (const key of log.payloads.keys()) log.payloads.set(key, pruned.payload);
    expect((await read(log)).status()).toMatchObject({
      missingPayloads: 2,
      contacts: 0,
      counts: { opened: 0 },
    });
  });

  it('counts a retry under a new nonce once, and lets the next report name either of the two', async () => {
    for (const named of [0, 1]) {
      const log = new MemoryLog();
      const records = [recordOf(3, NOON, 600)];
      const sent = [1, 2].map((nonce) => reportOf({ tag: 8, records, nonce, at: NOON + 3600 * nonce }));
      for (const report of sent) log.append(report);
      const prev = reportHash(sent[named]?.payload ?? new Uint8Array());
      log.append(reportOf({ tag: 8, seq: 1, prev, records: [recordOf(4, NOON, 300)] }));
      const tracer = await read(log);
      expect(tracer.status()).toMatchObject({
        contacts: 2,
        gaps: 0,
        counts: { opened: 3, repeated: 1, clones: 0 },
      });
      expect(contactsIn(tracer).find(({ a }) => a === 3)?.ledger).toEqual([0]);
    }
  });

  it('keeps two reports of one seq with different contents as evidence of a clone; the first stands', async () => {
    const log = new MemoryLog().fill(1);
    log.append(reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] }));
    log.append(reportOf({ tag: 8, records: [recordOf(4, NOON, 600)] }));
    const tracer = await read(log);
    expect(contactsIn(tracer).map(({ a, b }) => [a, b])).toEqual([[3, 8]]);
    expect(tracer.status().counts.clones).toBe(1);
    expect(tracer.doubts()).toEqual([{ kind: 'clone', ledger: [1, 2], day: DAY }]);
  });

  it('resolves a peer whose clock is on the other side of midnight', async () => {
    const midnight = (DAY + 1) * 86_400;
    const log = new MemoryLog();
    log.append(
      reportOf({ tag: 8, records: [recordOf(3, midnight - 100, 60, epochAt(midnight))], at: midnight + 300 }),
    );
    log.append(
      reportOf({ tag: 3, records: [recordOf(8, midnight + 5, 60, epochAt(midnight))], at: midnight + 300 }),
    );
    const tracer = await read(log);
    expect(contactsIn(tracer)).toMatchObject([
      { epoch: epochAt(midnight), mutual: true, start: midnight - 100 },
    ]);
  });

  it('opens a report when the keys of its day come later, and loses none while a reading fails', async () => {
    const log = new MemoryLog();
    const keys = keysOf([]);
    log.append(reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] }));
    const tracer = await read(log, { dayKeys: keys });
    expect(tracer.status()).toMatchObject({ waiting: 1, contacts: 0 });
    keys.days = [DAY];
    log.failing = { call: 'payloads', error: new Error('away') };
    await expect(tracer.catchUp()).rejects.toThrow('away');
    expect(tracer.status().waiting).toBe(1);
    await tracer.catchUp();
    expect(tracer.status()).toMatchObject({ waiting: 0, contacts: 1, counts: { opened: 1 } });
    expect(tracer.status().counts.refused.size).toBe(0);
  });

  it('gives up a report once its day has left retention, as its keys are destroyed then', async () => {
    const log = new MemoryLog();
    log.nowMs = NOON * 1000;
    log.append(reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] }));
    const tracer = await read(log, { dayKeys: keysOf([]) });
    log.passTo((NOON + 22 * 86_400) * 1000);
    await tracer.catchUp();
    expect(tracer.status()).toMatchObject({ waiting: 0, contacts: 0 });
    expect([...tracer.status().counts.refused]).toEqual([['sealing', 1]]);
  });

  it('gives the same answers after a restart from its saved checkpoint', async () => {
    const log = new MemoryLog();
    const checkpoints = memoryCheckpointStore();
    log.append(reportOf({ tag: 8, records: [recordOf(3, NOON, 600), recordOf(5, NOON + 2000, 600)] }));
    const before = await read(log, { checkpoints });
    const after = await read(log, { checkpoints });
    expect(standingIn(after)).toEqual(standingIn(before));
    expect(after.status()).toEqual(before.status());
  });

  it('takes turns when it is asked to catch up twice at once, and takes each entry once', async () => {
    const log = new MemoryLog();
    log.append(reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] }));
    const tracer = tracerOn(log);
    const turns = await Promise.all([tracer.catchUp(), tracer.catchUp()]);
    expect(turns.map(({ added }) => added)).toEqual([1, 0]);
    expect(tracer.status().counts).toMatchObject({ opened: 1, repeated: 0 });
  });

  it('sees what a page brought in the next view, also when one was asked for in between', async () => {
    const log = new MemoryLog();
    const tracer = tracerOn(log);
    const reading = tracer.catchUp();
    log.append(reportOf({ tag: 8, records: [recordOf(3, NOON, 600)] }));
    expect(contactsIn(tracer)).toHaveLength(0);
    await reading;
    await tracer.catchUp();
    expect(contactsIn(tracer)).toHaveLength(1);
  });

  it('opens presence reports of certified gateways and judges their beacons, and leaves them out of contacts', async () => {
    const log = new MemoryLog();
    log.append(gatewayEntry());
    const mac = new Uint8Array(6);
    const forged = {
      ...presenceOf(5, NOON, 60),
      proofA: { minuteOffset: 0, mac },
      proofB: { minuteOffset: 0, mac },
    };
    log.append(presenceReportOf([presenceOf(3, NOON, 600), forged]));
    const { presence, contacts } = (await read(log)).status();
    expect(presence).toMatchObject({ opened: 1, records: 2, forged: 1 });
    expect(contacts).toBe(0);
  });

  it('refuses a presence report of a gateway that only certified itself', async () => {
    const log = new MemoryLog();
    log.append(gatewayEntry(gateway));
    log.append({ type: ENTRY_TYPE.gateway, payload: new Uint8Array(40) });
    log.append(presenceReportOf([presenceOf(3, NOON, 600)]));
    expect([...(await read(log)).status().presence.refused]).toEqual([['certificate', 1]]);
  });
});
