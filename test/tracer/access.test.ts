import { describe, expect, it } from 'vitest';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import { joinAccess, openAccessPart, readAccessQuestion } from '../../protocol/payload/access.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { accessRecorder, askedInTrace } from '../../tracer/looks/access.js';
import type { AccessDeps } from '../../tracer/looks/access.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import type { Tracer } from '../../tracer/tracer.js';
import { NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const audit = x25519KeyPair(new Uint8Array(32).fill(5));
const look = { officer: 'Dr. Ada', purpose: 'ward outbreak' };
const request: TraceRequest = {
  case: '3',
  direction: 'forward',
  hops: 2,
  from: NOON,
  to: NOON + 3600,
  minSeconds: 0,
  latentSeconds: 0,
};

type Committed = Parameters<AccessDeps['commit']>[0][number];

/** The record of the one look that was committed. */
const recordIn = (committed: readonly Committed[]) =>
  joinAccess(committed.map(({ payload }) => openAccessPart(payload, audit.secretKey)));

const recorderThat = (commit: AccessDeps['commit']) =>
  accessRecorder({
    auditPublicKey: audit.publicKey,
    nowMs: () => asUnixMs(1_790_000_000_000),
    randomBytes: (length) => new Uint8Array(length).fill(4),
    commit,
  });
const asked = askedInTrace(request);

async function tracerThatCommits(commit: AccessDeps['commit'] | undefined): Promise<Tracer> {
  const log = new MemoryLog();
  log.append(reportOf({ tag: 3, records: [recordOf(8, NOON, 600)] }));
  const access = commit && recorderThat(commit);
  const tracer = tracerOn(log, { ...(access && { access }) });
  await tracer.catchUp();
  return tracer;
}

async function recording(): Promise<{ tracer: Tracer; committed: Committed[] }> {
  const committed: Committed[] = [];
  const tracer = await tracerThatCommits(async (entries) =>
    entries.map((entry) => committed.push(entry) + 41),
  );
  return { tracer, committed };
}

describe('a look at a trace', () => {
  it('is recorded, sealed to the audit key, before it is answered', async () => {
    const { tracer, committed } = await recording();
    const { result, accessIndex } = await tracer.lookUp({ ...request, infectiousSeconds: 86_400 }, look);
    expect(result.reached.map(({ person }) => person)).toEqual(['8']);
    expect(accessIndex).toBe(42);
    expect(committed.map(({ type, timeMs }) => [type, timeMs])).toEqual([
      [ENTRY_TYPE.access, 1_790_000_000_000],
    ]);
    expect(recordIn(committed)).toEqual({
      ...look,
      question: 'forward',
      cases: [3],
      hops: 2,
      from: NOON,
      to: NOON + 3600,
      minSeconds: 0,
      latentSeconds: 0,
      infectiousSeconds: 86_400,
      attenuation: 'near',
      presence: false,
      reached: [8],
    });
  });

  it('is not answered when the entry cannot be committed', async () => {
    const late = new FirebreakError('timeout', 'the ledger has not recorded this look');
    const tracer = await tracerThatCommits(() => Promise.reject(late));
    await expect(tracer.lookUp(request, look)).rejects.toBe(late);
    await expect(tracer.lookUp({ ...request, case: '99' }, look)).rejects.toBe(late);
  });

  it('is not answered by a tracer that cannot record', async () => {
    const tracer = await tracerThatCommits(undefined);
    await expect(tracer.lookUp(request, look)).rejects.toMatchObject({ code: 'permission' });
  });

  it('is recorded also when the answer is that nobody met the case', async () => {
    const { tracer, committed } = await recording();
    await expect(tracer.lookUp({ ...request, case: '99' }, look)).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(recordIn(committed)).toMatchObject({ cases: [99], reached: [] });
  });

  it('names people who are sources once', async () => {
    const { tracer, committed } = await recording();
    await tracer.lookUp({ ...request, direction: 'both' }, look);
    expect(recordIn(committed)).toMatchObject({ question: 'both', reached: [8], infectiousSeconds: null });
  });

  it('that reached more people than one entry can name is several entries, and answered when all are in', async () => {
    const reached = Array.from({ length: 100_000 }, (_, k) => asTagNumber(k * 3));
    const orders: (readonly Committed[])[] = [];
    const recorder = recorderThat(async (entries) => {
      orders.push(entries);
      return entries.map((_, k) => 7 + k);
    });
    const recorded = await recorder.record(look, asked, reached);
    expect(orders).toHaveLength(1);
    expect(recorded).toMatchObject({ index: 7, further: [8] });
    expect(orders[0]?.map(({ payload }) => payload.length)).toEqual([65_536, 65_536]);
    expect(recordIn(orders[0] ?? [])).toEqual({ ...look, ...asked, reached });
    expect(recorded.payload).toEqual(orders[0]?.[0]?.payload);
    expect(readAccessQuestion(recorded.payload, recorded.sharedSecret)).toEqual({
      ...look,
      ...asked,
      reachedCount: 100_000,
    });
    const short = recorderThat(async () => [7]);
    await expect(short.record(look, asked, reached)).rejects.toMatchObject({ code: 'closed' });
  });

  it('is not recorded with people out of order', async () => {
    const committed: unknown[] = [];
    const recorder = recorderThat(async (entries) => entries.map((entry) => committed.push(entry)));
    for (const tags of [
      [5, 4],
      [4, 4],
    ])
      await expect(recorder.record(look, asked, tags.map(asTagNumber))).rejects.toMatchObject({
        code: 'format',
      });
    expect(committed).toEqual([]);
  });

  it.each([{ officer: 'Dr. Ada\u001b[8m' }, { purpose: 'ward\n  answered  no' }, { purpose: '\u202edraw' }])(
    'is not recorded in words that are not plain: %j',
    async (words) => {
      const { tracer, committed } = await recording();
      const asked = tracer.lookUp(request, { ...look, ...words });
      await expect(asked).rejects.toMatchObject({ code: 'input' });
      expect(committed).toEqual([]);
    },
  );

  it('needs an officer and a purpose', async () => {
    const { tracer, committed } = await recording();
    for (const unnamed of [
      { ...look, officer: ' ' },
      { ...look, purpose: '' },
    ])
      await expect(tracer.lookUp(request, unnamed)).rejects.toMatchObject({ code: 'input' });
    expect(committed).toEqual([]);
  });

  it.each([
    { hops: 0 },
    { hops: 17 },
    { hops: 1.5 },
    { case: 'x' },
    { case: '281474976710656' },
    { from: NOON + 3601 },
    { from: -1 },
    { to: Number.NaN },
    { minSeconds: -1 },
    { latentSeconds: 0.5 },
    { infectiousSeconds: Infinity },
  ])('out of bounds is refused and not recorded: %o', async (changes) => {
    const { tracer, committed } = await recording();
    await expect(tracer.lookUp({ ...request, ...changes }, look)).rejects.toMatchObject({ code: 'input' });
    expect(committed).toEqual([]);
  });
});
