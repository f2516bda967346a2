/** Evidence bundles: what a trace says is shown to whoever holds the log's key, and nothing else is. */
import { setImmediate as breathe } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../protocol/tlog/ledger-reader.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { FirebreakError } from '../../protocol/errors.js';
import { decodeEvidence } from '../../protocol/evidence/bundle.js';
import { readReport } from '../../protocol/tag/report-open.js';
import { decodeReport } from '../../protocol/tag/report.js';
import { dayOf } from '../../protocol/time.js';
import { checkEvidenceInTurns } from '../../tracer/evidence/check.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import { Turns } from '../../tracer/turns.js';
import { codeOf } from '../protocol/errors-of.js';
import { issuer, keysOf, NOON, recordOf, reportOf } from './deployment.js';
import {
  check,
  asTraced,
  evidenceIfAny,
  evidenceOf,
  shownAsTraced,
  look,
  pair,
  refusalOf,
  request,
  tracerKey,
  recordingTracer,
  supportsOf,
  ward,
} from './evidence-stage.js';
import { logKey, MemoryLog } from './memory-log.js';

describe('an evidence bundle', () => {
  it.each<Partial<TraceRequest>>([
    {},
    { direction: 'backward', case: '4' },
    { direction: 'both', case: '2' },
    { infectiousSeconds: 20_000 },
    { minSeconds: 0, hops: 2 },
  ])('shows all that the trace says: %o', async (asked) => {
    const answer = await evidenceOf(await recordingTracer(ward()), asked);
    const { result, accessIndex } = answer;
    expect(result.reached.length).toBeGreaterThan(0);
    const shown = shownAsTraced(answer);
    expect(shown.request).toEqual({ ...request, ...asked });
    expect(shown.look).toMatchObject({
      index: accessIndex,
      record: { ...look, cases: [Number(result.case)] },
    });
    expect(shown.issuerPublicKey).toEqual(issuer.publicKey);
    expect(shown.tracerPublicKey).toEqual(tracerKey.publicKey);
  });

  it('cites the reports of its paths and no other, with the contacts that make a close one', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(ward()));
    const shown = check(evidence);
    expect(shown.reports.map(({ index }) => index)).toEqual([3, 5, 266, 268]);
    const [, third] = shown.reached;
    expect(third?.path[1]).toMatchObject({ from: '2', to: '3', nearSeconds: 600, mutual: false });
    expect(supportsOf(third?.path[1])).toMatchObject([{ mutual: true, ledger: [5, 266] }]);
    expect(decodeEvidence(evidence).names.map(({ tag }) => Number(tag))).not.toContain(5);
  });

  it('shows some people of the answer only, when they are named', async () => {
    const tracer = await recordingTracer(ward());
    const { result, evidence } = await evidenceOf(tracer, {}, ['2']);
    expect(result.reached.map(({ person }) => person)).toEqual(['2', '3', '4']);
    const shown = check(evidence);
    expect(asTraced(shown.reached)).toEqual(result.reached.slice(0, 1));
    expect(shown.reports.map(({ index }) => index)).toEqual([3, 5]);
    expect(shown.look.record.reachedCount).toBe(3);
    const both = await evidenceOf(tracer, { direction: 'both', case: '2' }, ['4']);
    expect(check(both.evidence)).toMatchObject({
      reached: [{ person: '4', source: '3' }],
      sources: [{ person: '3', hop: 1 }],
    });
    expect(both.result.sources?.map(({ person }) => person)).toEqual(['1', '3']);
    await expect(evidenceOf(tracer, {}, ['2', '5'])).rejects.toMatchObject({ code: 'input' });
  });

  it('says that the list was too short where that may be why it cannot show somebody', async () => {
    const tracer = await recordingTracer(ward());
    const words =
      'not in the answer, so evidence cannot show them: 4; 2 more people are counted in it and not listed';
    await expect(evidenceOf(tracer, { list: 1 }, ['4'])).rejects.toThrow(words);
    const whole = await evidenceOf(tracer, {}, ['77']).catch((error: Error) => error.message);
    expect(whole).toBe('not in the answer, so evidence cannot show them: 77; the look is recorded');
  });

  it('shows the sources that paths begin at, those too that a short list leaves out', async () => {
    const asked = { direction: 'both', case: '4', minSeconds: 100, list: 2 } as const;
    const { result, evidence } = await evidenceOf(await recordingTracer(ward()), asked);
    const named = ({ person }: { readonly person: string }) => person;
    expect([result.sources?.map(named), result.sourceCount]).toEqual([['3', '2'], 3]);
    expect(result.reached).toMatchObject([{ person: '5', source: '1' }]);
    const shown = check(evidence);
    expect(asTraced(shown.reached)).toEqual(result.reached);
    expect(shown.sources?.map(named)).toEqual(['3', '2', '1']);
    expect(asTraced(shown.sources)?.slice(0, 2)).toEqual(result.sources);
  });

  it('of an answer that names nobody shows that the look was recorded', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(ward()), { minSeconds: 90_000 });
    expect(check(evidence)).toMatchObject({ reached: [], reports: [], look: { record: look } });
  });

  it('cites what counts of a meeting of which a tag says more (docs/decisions/0024)', async () => {
    const [log, more] = [new MemoryLog(), Array.from({ length: 1_023 }, (_, k) => NOON + (k % 870))];
    const flood = [recordOf(2, NOON, 899), ...more.map((start) => recordOf(2, start, 29))];
    log.append(reportOf({ tag: 1, records: flood }));
    log.append(reportOf({ tag: 2, records: [recordOf(1, NOON, 899)] }));
    const answer = await evidenceOf(await recordingTracer(log), { minSeconds: 600 });
    expect(shownAsTraced(answer).reached).toMatchObject([{ person: '2', path: [{ mutual: true }] }]);
    const [cited = []] = decodeEvidence(answer.evidence).contacts;
    expect([0, 1].map((place) => cited.filter(({ report }) => report === place).length)).toEqual([32, 1]);
  });

  it('hands out secrets that open one report each', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(pair()));
    const [one, other] = decodeEvidence(evidence).reports;
    if (one === undefined || other === undefined) throw new Error('two reports are cited');
    const report = decodeReport(one.payload);
    expect(readReport(report, one.sharedSecret).records).toHaveLength(1);
    expect(codeOf(() => readReport(report, other.sharedSecret))).toBe('sealing');
  });

  it('gives the checkpoint as it was to whoever has more to demand of it', async () => {
    const log = pair();
    const { evidence } = await evidenceOf(await recordingTracer(log));
    const notes: string[] = [];
    check(evidence, { openCheckpoint: (note) => (notes.push(note), openCheckpoint(note, logKey)) });
    expect(notes).toEqual([log.checkpoint()]);
    const demanding = () => {
      throw new FirebreakError('signature', 'one witness of two');
    };
    expect(refusalOf(evidence, { openCheckpoint: demanding })).toBe(
      'signature: the checkpoint of the bundle: one witness of two',
    );
  });

  it('is not made when a report was pruned, or its day key destroyed, meanwhile', async () => {
    const log = ward();
    const tracer = await recordingTracer(log);
    log.prune(bytesOf([...log.payloads.values()][3]) ?? new Uint8Array());
    const message = 'the payload of entry 3 is gone: there is no evidence without it; the look is recorded';
    await expect(evidenceOf(tracer)).rejects.toMatchObject({ code: 'not-found', message });
    const dayKeys = keysOf([dayOf(NOON)]);
    const forgetful = await recordingTracer(pair(), { dayKeys });
    dayKeys.days = [];
    await expect(evidenceOf(forgetful)).rejects.toMatchObject({ code: 'sealing' });
  });

  it('is refused before the look is recorded by a tracer that cannot sign', async () => {
    const log = pair();
    const tracer = await recordingTracer(log, {}, false);
    await expect(evidenceOf(tracer)).rejects.toMatchObject({ code: 'permission' });
    expect(log.entries).toHaveLength(2);
  });

  it('is checked in turns as it is in one go, and no further once it is called off', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(ward()));
    const abort = new AbortController();
    const openSlowly = (note: string) => {
      for (const untilMs = performance.now() + 10; performance.now() < untilMs;);
      return openCheckpoint(note, logKey);
    };
    const terms = { openCheckpoint: openSlowly };
    expect(await checkEvidenceInTurns(evidence, terms, new Turns())).toEqual(check(evidence));
    setImmediate(() => abort.abort(new Error('enough'))); // has its turn only when one is left to it
    const checking = checkEvidenceInTurns(evidence, terms, new Turns(abort.signal));
    await expect(checking).rejects.toThrow('enough');
  });

  it('is not made for who has gone since the look was recorded', async () => {
    const log = ward();
    const gone = new AbortController();
    const tracer = await recordingTracer(log);
    const append = log.append.bind(log);
    log.append = (entry) => {
      gone.abort(new Error('whoever asked has gone'));
      return append(entry);
    };
    await expect(tracer.lookUp(request, look, {}, gone.signal)).rejects.toThrow('has gone');
  });

  it('that is called off once the look is recorded says that it is', async () => {
    const log = ward();
    const tracer = await recordingTracer(log);
    const stop = new AbortController();
    const append = log.append.bind(log);
    log.append = (entry) => {
      stop.abort(new FirebreakError('closed', 'stopped before it was done'));
      return append(entry);
    };
    await expect(tracer.lookUp(request, look, {}, stop.signal)).rejects.toMatchObject({
      code: 'closed',
      message: 'stopped before it was done; the look is recorded',
    });
  });

  it('reads no more of the ledger once it is called off', async () => {
    const log = ward();
    const before = log.entries.length;
    const stop = new AbortController();
    const reader = log.reader();
    const later: string[] = [];
    const entryBundle: LedgerReader['entryBundle'] = async (index, width) => {
      if (stop.signal.aborted) later.push('entryBundle');
      if (index === 0 && log.entries.length > before) stop.abort(new Error('whoever asked has gone'));
      return reader.entryBundle(index, width);
    };
    const payloads: LedgerReader['payloads'] = async (hashes) => {
      if (stop.signal.aborted) later.push('payloads');
      return reader.payloads(hashes);
    };
    const tracer = await recordingTracer(log, { reader: { ...reader, entryBundle, payloads } });
    await expect(tracer.lookUp(request, look, {}, stop.signal)).rejects.toThrow('has gone');
    await breathe(); // the wait is over before the work is
    expect(later).toEqual([]);
  });

  it('is refused with word that the look is recorded also where the ledger goes away right after', async () => {
    const log = ward();
    const tracer = await recordingTracer(log);
    const append = log.append.bind(log);
    log.append = (entry) => {
      log.failing = { call: 'checkpoint', error: new FirebreakError('unreachable', 'the ledger is away') };
      return append(entry);
    };
    await expect(evidenceOf(tracer)).rejects.toThrow('the ledger is away; the look is recorded');
  });

  it('waits for a checkpoint that covers the look, and not for ever', async () => {
    const log = pair();
    const covered = log.checkpoint();
    const behind = {
      ...log.reader(),
      checkpoint: async () => (log.calls.length++ < 6 ? covered : log.checkpoint()),
    };
    expect(
      check((await evidenceOf(await recordingTracer(log, { reader: behind }))).evidence).look.index,
    ).toBe(2);
    const stuck = { ...log.reader(), checkpoint: async () => covered };
    const tracer = await recordingTracer(log, { reader: stuck, coveredWithinMs: 50 });
    await expect(evidenceOf(tracer)).rejects.toMatchObject({
      code: 'timeout',
      message: 'no checkpoint covers entry 3 yet, and there is no evidence without one; the look is recorded',
    });
  });

  it('shows what the trace says of whatever was recorded', async () => {
    let [people, supported] = [0, 0];
    const property = fc.asyncProperty(meetings, questions, async (told, asked) => {
      const tracer = await recordingTracer(logOf(told));
      const answer = await evidenceIfAny(tracer, asked);
      if (answer === undefined) return;
      const shown = shownAsTraced(answer);
      people += shown.reached.length;
      supported += shown.reached.filter(({ path }) =>
        path.some((step) => supportsOf(step).length > 0),
      ).length;
    });
    await fc.assert(property, { numRuns: 80 });
    expect(people).toBeGreaterThan(40);
    expect(supported).toBeGreaterThan(5);
  });
});

interface Meeting {
  readonly a: number;
  readonly b: number;
  readonly epoch: number;
  readonly offset: number;
  readonly seconds: number;
  readonly told: 'a' | 'b' | 'both';
  /** Of the seconds, in hundredths: immediate and near; the rest is medium. */
  readonly close: readonly [number, number];
}

/** Few people, who meet often. */
const meetings: fc.Arbitrary<Meeting[]> = fc.uniqueArray(
  fc.record({
    ...{ a: fc.integer({ min: 1, max: 2 }), b: fc.integer({ min: 3, max: 5 }), epoch: fc.nat(20) },
    ...{ offset: fc.nat(200), seconds: fc.integer({ min: 200, max: 650 }) },
    told: fc.constantFrom('a', 'b', 'both'),
    close: fc.constantFrom([100, 0] as const, [50, 50] as const, [30, 20] as const),
  }),
  { minLength: 12, maxLength: 24, size: 'max', selector: ({ a, b, epoch }) => `${a} ${b} ${epoch}` },
);

const questions = fc
  .record({
    ...{ direction: fc.constantFrom('forward', 'backward', 'both'), hops: fc.integer({ min: 1, max: 4 }) },
    ...{ minSeconds: fc.constantFrom(0, 300, 900, 1_500), latentSeconds: fc.constantFrom(0, 1_800) },
    ...{ infectious: fc.option(fc.constantFrom(9_000, 20_000)), case: fc.constantFrom('1', '3') },
    attenuation: fc.constantFrom('immediate', 'near', 'near', 'medium'),
  })
  .map(({ infectious, attenuation, ...asked }): Partial<TraceRequest> => ({
    ...asked,
    from: NOON,
    ...(attenuation !== 'near' && { attenuation }),
    ...(infectious !== null && { infectiousSeconds: infectious }),
  }));

/** Each tag reports twice what it was told to notice, in an order of its own. */
function logOf(told: readonly Meeting[]): MemoryLog {
  const log = new MemoryLog().fill(1);
  const reports = new Map<string, EncounterRecord[]>();
  const note = (who: number, record: EncounterRecord, half: number) => {
    const key = `${who}/${half}`;
    reports.set(key, [...(reports.get(key) ?? []), record]);
  };
  for (const { a, b, epoch, offset, seconds, told: by, close } of told) {
    const start = NOON + epoch * 900 + offset;
    const heard = (peer: number, from: number, lasted: number): EncounterRecord => {
      const [immediate = 0, near = 0] = close.map((share) => Math.floor((share * lasted) / 100));
      const bucketSeconds = [immediate, near, lasted - immediate - near, 0] as const;
      return { ...recordOf(peer, from, lasted), bucketSeconds };
    };
    if (by !== 'b') note(a, heard(b, start, seconds), epoch & 1);
    if (by !== 'a') note(b, heard(a, start + 7, seconds - 9), epoch & 1);
  }
  for (const [key, records] of reports) {
    const [tag = 0, seq = 0] = key.split('/').map(Number);
    log.append(reportOf({ tag, seq, records, at: NOON + 40_000 }));
  }
  return log;
}
