/** Evidence of traces that go by presence: who was at one gateway at one time, shown from what the gateway reported. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../protocol/bytes.js';
import { decodeEvidence } from '../../protocol/evidence/bundle.js';
import { partyIdOf } from '../../protocol/keys.js';
import { bytesOf } from '../../protocol/tlog/ledger-reader.js';
import { silentLog } from '../../protocol/log.js';
import { decodePresenceReport, readPresenceReport } from '../../protocol/session/presence-report.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import { codeOf } from '../protocol/errors-of.js';
import {
  gateway,
  gatewayEntry,
  NOON,
  presenceOf,
  presenceReportOf,
  recordOf,
  reportOf,
} from './deployment.js';
import { clinic, otherGateway } from './evidence-presence-stage.js';
import {
  asTraced,
  check,
  evidenceIfAny,
  evidenceOf,
  shownAsTraced,
  recordingTracer,
  request,
} from './evidence-stage.js';
import { MemoryLog } from './memory-log.js';

const asked = { presence: true, minSeconds: 890 } as const;
const [GATEWAY, OTHER] = [gateway, otherGateway].map(({ publicKey }) => toHex(partyIdOf(publicKey)));

describe('evidence of presence', () => {
  it.each<Partial<TraceRequest>>([
    {},
    { direction: 'backward', case: '4' },
    { direction: 'both', case: '2' },
    { infectiousSeconds: 20_000 },
    { minSeconds: 0, hops: 2 },
    { attenuation: 'medium' },
  ])('shows all that the trace says: %o', async (more) => {
    const answer = await evidenceOf(await recordingTracer(clinic()), { ...asked, ...more });
    const { reached, sources } = answer.result;
    expect(reached.length + (sources?.length ?? 0)).toBeGreaterThan(1);
    const shown = shownAsTraced(answer);
    expect(shown.request).toEqual({ ...request, ...asked, ...more });
  });

  it('puts together what the two stays have in common, and cites no more than that takes', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(clinic()), asked);
    const { reached, presenceReports } = check(evidence);
    const shared = { from: '1', to: '2', start: NOON + 300, end: NOON + 1_500, ledger: [], gateway: GATEWAY };
    expect(reached.map(({ path }) => path[0])).toMatchObject([shared, shared, shared]);
    expect(reached[0]?.path[0]).toMatchObject({ copresence: { ledger: [4, 5] } });
    expect(reached[2]?.path[2]).toMatchObject({ gateway: OTHER, copresence: { ledger: [11] } });
    expect(presenceReports.map(({ index }) => index)).toEqual([4, 5, 11]);
    const { presence, names } = decodeEvidence(evidence);
    expect(presence?.certificates.map(({ index }) => index)).toEqual([2, 3]);
    expect(presence?.sightings).toHaveLength(6);
    expect(names.map(({ tag }) => Number(tag))).not.toContain(9);
  });

  it('hands out secrets that open one report each', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(clinic()), asked);
    const [one, other] = decodeEvidence(evidence).presence?.reports ?? [];
    if (one === undefined || other === undefined) throw new Error('presence reports are cited');
    const report = decodePresenceReport(one.payload);
    expect(readPresenceReport(report, one.sharedSecret)).toHaveLength(3);
    expect(codeOf(() => readPresenceReport(report, other.sharedSecret))).toBe('sealing');
  });

  it('is of the first version where no step goes by presence, whatever was asked', async () => {
    const versionOf = (bundle: Uint8Array) => Buffer.from(bundle).toString('latin1', 2, 23);
    const tracer = await recordingTracer(clinic());
    const near = await evidenceOf(tracer, { ...asked, case: '2' }, ['3']);
    expect(versionOf(near.evidence)).toBe('firebreak/evidence/v1');
    expect(check(near.evidence)).toMatchObject({ request: { presence: true }, presenceReports: [] });
    expect(versionOf((await evidenceOf(tracer, asked)).evidence)).toBe('firebreak/evidence/v2');
  });

  it('goes by the sightings of the answer, not by those that came while the look was recorded', async () => {
    const log = clinic();
    const tracer = await recordingTracer(log);
    const append = log.append.bind(log);
    const early = presenceReportOf([presenceOf(2, NOON + 1_510, 280)], NOON + 2_000);
    log.append = (entry) => (append(early), append(entry)); // before the look, and read before the evidence is made
    const { result, evidence } = await evidenceOf(tracer, asked);
    expect(asTraced(check(evidence).reached)).toEqual(result.reached);
    expect(result.reached[0]?.path[0]?.end).toBe(NOON + 1_500);
    log.append = append;
    expect((await evidenceOf(tracer, asked)).result.reached[0]?.path[0]?.end).toBe(NOON + 1_790);
  });

  it('is made by a tracer that begins again on what it kept', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-presence-'));
    try {
      const log = clinic();
      const checkpoints = memoryCheckpointStore();
      const open = async () => {
        const startThread = inlineTasks(NODE_STORE_DISK);
        const contacts = await openContactStore(dir, { log: silentLog, startThread });
        return recordingTracer(log, { contacts, checkpoints });
      };
      await (await open()).close();
      const read = log.calls.length;
      const again = await open();
      expect(log.calls.slice(read)).not.toContain('payloads'); // it went on from what was kept
      const { result, evidence } = await evidenceOf(again, asked);
      expect(asTraced(check(evidence).reached)).toEqual(result.reached);
      expect(check(evidence).presenceReports).toHaveLength(3);
      await again.close();
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('is not made when a presence report was pruned meanwhile', async () => {
    const log = clinic();
    const tracer = await recordingTracer(log);
    log.prune(bytesOf([...log.payloads.values()][4]) ?? new Uint8Array());
    const message = 'the payload of entry 4 is gone: there is no evidence without it; the look is recorded';
    await expect(evidenceOf(tracer, asked)).rejects.toMatchObject({ code: 'not-found', message });
  });

  it('shows what the trace says of whoever was seen anywhere', async () => {
    let [byPresence, joined] = [0, 0];
    const property = fc.asyncProperty(visits, questions, async (seen, question) => {
      const tracer = await recordingTracer(logOf(seen));
      const answer = await evidenceIfAny(tracer, question);
      if (answer === undefined) return;
      const shown = shownAsTraced(answer);
      byPresence += shown.reached.filter(({ path }) => path.some((step) => 'copresence' in step)).length;
      joined += decodeEvidence(answer.evidence).presence?.copresences.flat().filter(({ length }) => length > 1).length ?? 0; // prettier-ignore
    });
    await fc.assert(property, { numRuns: 60 });
    expect(byPresence).toBeGreaterThan(5);
    expect(joined).toBeGreaterThan(3);
  });
});

interface Visit {
  readonly tag: number;
  readonly at: 0 | 1;
  readonly epoch: number;
  readonly offset: number;
  readonly seconds: number;
  /** Whether its second beacon is forged. */
  readonly isPartial: boolean;
}

/** Few people, who come to two gateways and stay there for up to an hour, with gaps of all lengths around 300 s. */
const visits: fc.Arbitrary<Visit[]> = fc
  .array(
    fc.record({
      ...{ tag: fc.integer({ min: 1, max: 4 }), at: fc.constantFrom(0 as const, 0 as const, 1 as const) },
      ...{ first: fc.nat(6), quarters: fc.integer({ min: 1, max: 4 }), offset: fc.nat(250) },
      seconds: fc.integer({ min: 560, max: 720 }),
      isPartial: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    { minLength: 9, maxLength: 14, size: 'max' },
  )
  .map((stays) => {
    const quarters = stays.flatMap(({ first, quarters: count, ...visit }) =>
      Array.from({ length: count }, (_, k) => ({ ...visit, epoch: first + k })),
    );
    return [...new Map(quarters.map((visit) => [`${visit.tag} ${visit.epoch}`, visit])).values()];
  });

const questions = fc
  .record({
    ...{ direction: fc.constantFrom('forward', 'backward', 'both'), hops: fc.integer({ min: 1, max: 4 }) },
    ...{ minSeconds: fc.constantFrom(0, 300, 900), latentSeconds: fc.constantFrom(0, 0, 900) },
    ...{ infectious: fc.option(fc.constantFrom(4_000, 9_000)), case: fc.constantFrom('1', '3') },
  })
  .map(({ infectious, ...given }): Partial<TraceRequest> => ({
    ...given,
    ...{ from: NOON, to: NOON + 20_000, presence: true },
    ...(infectious !== null && { infectiousSeconds: infectious }),
  }));

/** Each gateway reports each quarter of an hour, the other way round in the log; two people also told of a contact. */
function logOf(seen: readonly Visit[]): MemoryLog {
  const log = new MemoryLog();
  const gateways = [gateway, otherGateway];
  for (const of of gateways) log.append(gatewayEntry(undefined, { of }));
  const forged = { minuteOffset: 0, mac: new Uint8Array(6).fill(1) };
  for (let epoch = 9; epoch >= 0; epoch--)
    gateways.forEach((by, at) => {
      const records = seen
        .filter((visit) => visit.epoch === epoch && visit.at === at)
        .map(({ tag, offset, seconds, isPartial }) => {
          const record = presenceOf(tag, NOON + 900 * epoch + offset, seconds);
          return isPartial ? { ...record, proofB: forged } : record;
        });
      if (records.length > 0) log.append(presenceReportOf(records, NOON + 900 * epoch + 1_020, by));
    });
  log.append(reportOf({ tag: 2, records: [recordOf(3, NOON + 4_500, 600)], at: NOON + 9_000 }));
  return log.fill(1);
}
