/** A cluster asked of a whole tracer, from sealed reports to the record of the look; and its question and answer as JSON. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { asTagNumber, asUnixMs } from '../../../protocol/brands.js';
import { toHex } from '../../../protocol/bytes.js';
import { FirebreakError } from '../../../protocol/errors.js';
import { partyIdOf } from '../../../protocol/keys.js';
import { joinAccess, openAccessPart } from '../../../protocol/payload/access.js';
import { x25519KeyPair } from '../../../protocol/crypto/x25519.js';
import { accessRecorder } from '../../../tracer/looks/access.js';
import type { AccessDeps } from '../../../tracer/looks/access.js';
import { askCluster } from '../../../tracer/cluster/ask.js';
import { clusterAnswerSchema, clusterLookUpSchema } from '../../../tracer/cluster/cluster-message.js';
import type { ClusterAnswer, ClusterLookUp } from '../../../tracer/cluster/cluster-message.js';
import { lookUpCluster } from '../../../tracer/cluster/look-up.js';
import type { Asked } from '../../../tracer/looks/access.js';
import type { Tracer } from '../../../tracer/tracer.js';
import { openWalkPool } from '../../../tracer/walk/walk-pool.js';
import type { WalkPool } from '../../../tracer/walk/walk-pool.js';
import {
  gateway,
  gatewayEntry,
  NOON,
  presenceOf,
  presenceReportOf,
  recordOf,
  reportOf,
} from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { tracerOn } from '../tracer-on.js';

const audit = x25519KeyPair(new Uint8Array(32).fill(5));
const look = { officer: 'Dr. Ada', purpose: 'ward outbreak' };
const request = {
  cases: [{ tag: '3' }, { tag: '8', onset: NOON + 7000 }],
  ...{ hops: 2, from: NOON - 7200, to: NOON + 7200, minSeconds: 300, latentSeconds: 0 },
};

/** 5 was with 3, then with 8, then with 21; 3 and 8 stayed at the gateway, and 30. */
async function tracerThatCommits(commit: AccessDeps['commit'], walks?: WalkPool): Promise<Tracer> {
  const log = new MemoryLog();
  log.append(gatewayEntry());
  log.append(reportOf({ tag: 5, records: [recordOf(3, NOON, 600), recordOf(8, NOON + 1200, 600)] }));
  log.append(reportOf({ tag: 5, seq: 1, records: [recordOf(21, NOON + 3600, 600)] }));
  log.append(
    presenceReportOf([
      presenceOf(3, NOON - 3600, 500),
      presenceOf(8, NOON - 1800, 500),
      presenceOf(30, NOON - 1800, 500),
    ]),
  );
  const tracer = tracerOn(log, {
    ...(walks && { walks }),
    access: accessRecorder({
      auditPublicKey: audit.publicKey,
      nowMs: () => asUnixMs(1_790_000_000_000),
      randomBytes: (length) => new Uint8Array(length).fill(4),
      commit,
    }),
  });
  await tracer.catchUp();
  return tracer;
}

async function answered(): Promise<{ answer: ClusterAnswer; payloads: readonly Uint8Array[] }> {
  const payloads: Uint8Array[] = [];
  const tracer = await tracerThatCommits(async (entries) =>
    entries.map(({ payload }) => payloads.push(payload) + 40),
  );
  return { answer: await tracer.lookUpCluster(request, look), payloads };
}

describe('a look at a cluster', () => {
  it('finds people and gateways from sealed reports, and is one look at all cases', async () => {
    const { answer, payloads } = await answered();
    expect(answer.accessIndex).toBe(41);
    const { sources, tree, sourceCount, weighed } = answer.result;
    expect({ sourceCount, weighed }).toEqual({ sourceCount: 3, weighed: { people: 2, gateways: 1 } });
    expect(
      sources.map((source) => (source.kind === 'person' ? source.person : source.gateway)).sort(),
    ).toEqual(['3', '5', toHex(partyIdOf(gateway.publicKey))].sort());
    expect(sources.find(({ kind }) => kind === 'gateway')?.explains).toEqual([
      { case: '3', start: NOON - 3600, end: NOON - 3100, seconds: 500 },
      { case: '8', start: NOON - 1800, end: NOON - 1300, seconds: 500 },
    ]);
    expect(tree.edges.map(({ from, to, ledger }) => [from, to, ledger])).toEqual(
      expect.arrayContaining([['5', '8', [1]]]),
    );
    const record = joinAccess(payloads.map((payload) => openAccessPart(payload, audit.secretKey)));
    expect(record).toMatchObject({ ...look, question: 'cluster', cases: [3, 8] });
    expect(record.reached).toEqual([3, 5, 8, 21, 30]);
    expect(sources.map(({ othersReached }) => othersReached).sort()).toEqual([1, 1, 2]);
    expect(record).toMatchObject({ hops: 2, minSeconds: 300, infectiousSeconds: null });
  });

  it.each(['on its own thread', 'on threads that walk'])(
    'finds who infected cases longer ago than people are infectious, %s',
    async (where) => {
      const pool = openWalkPool(1);
      onTestFinished(() => pool.close());
      const tracer = await tracerThatCommits(
        async (entries) => entries.map(() => 40),
        where === 'on threads that walk' ? pool : undefined,
      );
      const days = { to: NOON + 10 * 86_400, infectiousSeconds: 86_400, gateways: false };
      const asked = { ...request, ...days, cases: [{ tag: '3' }, { tag: '8' }] };
      const { sources, unreached } = (await tracer.lookUpCluster(asked, look)).result;
      const people = sources.flatMap((source) => (source.kind === 'person' ? source.person : []));
      expect(people.sort()).toEqual(['3', '5']);
      expect(unreached).toEqual([]);
    },
  );

  it('is no look without an entry: the answer stays inside', async () => {
    const tracer = await tracerThatCommits(() =>
      Promise.reject(new FirebreakError('timeout', 'the ledger has not recorded this look')),
    );
    await expect(tracer.lookUpCluster(request, look)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('is no look when whoever asked has gone: nothing is recorded', async () => {
    const committed: unknown[] = [];
    const tracer = await tracerThatCommits(async (entries) => entries.map((entry) => committed.push(entry)));
    const gone = AbortSignal.abort(new Error('whoever asked has gone'));
    await expect(tracer.lookUpCluster(request, look, gone)).rejects.toThrow('has gone');
    expect(committed).toEqual([]);
  });

  it('lets go of the threads that walk when it is called off', async () => {
    const committed: unknown[] = [];
    const onDeath = vi.fn();
    const pool = openWalkPool(1, { onDeath });
    onTestFinished(() => pool.close());
    const tracer = await tracerThatCommits(
      async (entries) => entries.map((one) => committed.push(one)),
      pool,
    );
    const abort = new AbortController();
    const asked = tracer.lookUpCluster(request, look, abort.signal);
    expect(pool.status().walking).toBe(1);
    const late = new FirebreakError('timeout', 'the question takes too long');
    abort.abort(late);
    await expect(asked).rejects.toBe(late);
    expect([pool.status(), committed]).toMatchObject([{ walking: 0, waiting: 0 }, []]);
    expect(onDeath).not.toHaveBeenCalled();
    expect((await tracer.lookUpCluster(request, look)).result.sources).toHaveLength(3);
  });

  it('records what was asked and everybody in the answer before it answers, and nothing of a question out of bounds', async () => {
    const recorded: [Asked, readonly number[]][] = [];
    const step = { start: 10, end: 20, nearSeconds: 900, mutual: true, ledger: [1] };
    const desk = {
      trace: async (asked: { readonly case: string; readonly direction: string }) => ({
        ...{ ...request, case: asked.case, direction: 'backward' as const },
        reachedCount: asked.direction === 'forward' ? 0 : 1,
        reached:
          asked.direction === 'forward'
            ? []
            : [
                {
                  ...{ person: '5', hop: 2, exposedAt: NOON, earliestAt: NOON, score: 0.1 },
                  path: [
                    { ...step, from: '5', to: '6' },
                    { ...step, from: '6', to: asked.case },
                  ],
                },
              ],
      }),
      reachedWith: (named: readonly number[]) => Float64Array.of(...named, 77),
      record: async (_look: unknown, asked: Asked, reached: Float64Array) => {
        recorded.push([asked, [...reached]]);
        return { index: 7 };
      },
    };
    expect((await lookUpCluster(desk, request, look)).accessIndex).toBe(7);
    expect(recorded).toEqual([
      [
        {
          ...{ question: 'cluster', cases: [3, 8].map(asTagNumber), hops: 2 },
          ...{ from: NOON - 7200, to: NOON + 7200, minSeconds: 300, latentSeconds: 0 },
          ...{ infectiousSeconds: null, attenuation: 'near', presence: false },
        },
        [3, 5, 6, 8, 77],
      ],
    ]);
    await expect(lookUpCluster(desk, { ...request, cases: [] }, look)).rejects.toMatchObject({
      code: 'input',
    });
    expect(recorded).toHaveLength(1);
  });
});

const question: ClusterLookUp = { ...look, request: { ...request, list: 5 } };

/** Over real HTTP, as a tracer with the API answers. */
async function serve(status: number, reply: unknown): Promise<{ url: string; asked: unknown[] }> {
  const asked: unknown[] = [];
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (piece) => (body += String(piece)));
    incoming.on('end', () => {
      asked.push([incoming.url, incoming.headers.authorization, clusterLookUpSchema.parse(JSON.parse(body))]);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('a cluster asked of a running tracer', () => {
  it('gives the question and the answer as they were', async () => {
    const { answer } = await answered();
    const { url, asked } = await serve(200, answer);
    expect(await askCluster(url, 'secret', question)).toEqual(answer);
    expect(asked).toEqual([['/v1/cluster', 'Bearer secret', question]]);
  });

  it('hands on why there is no answer, and knows what is none', async () => {
    const refusing = await serve(400, { code: 'input', message: 'too many hops' });
    await expect(askCluster(refusing.url, '', question)).rejects.toMatchObject({
      ...{ code: 'input', message: 'too many hops' },
    });
    const older = await serve(404, { code: 'not-found', message: 'ask POST /trace' });
    await expect(askCluster(older.url, '', question)).rejects.toThrow('knows no clusters');
    const other = await serve(200, { accessIndex: 1, result: {} });
    await expect(askCluster(other.url, '', question)).rejects.toMatchObject({ code: 'format' });
    await expect(askCluster('http://127.0.0.1:1', '', question)).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  it.each([
    ['one case', { cases: [{ tag: '1' }] }],
    ['65 cases', { cases: Array.from({ length: 65 }, (_, n) => ({ tag: String(n) })) }],
    ['a tag with a zero before it', { cases: [{ tag: '01' }, { tag: '2' }] }],
    ['17 hops', { hops: 17 }],
    ['a field nobody knows', { colour: 'red' }],
    ['a list beyond what is weighed', { list: 33 }],
  ])('does not take %s for a question', (_what, changes) => {
    const asked = { ...question, request: { ...question.request, ...changes } };
    expect(clusterLookUpSchema.safeParse(asked).success).toBe(false);
    expect(clusterLookUpSchema.safeParse(question).success).toBe(true);
  });

  it('does not take an answer with more in it for one', async () => {
    const { answer } = await answered();
    expect(clusterAnswerSchema.safeParse(answer).success).toBe(true);
    const more = { ...answer, result: { ...answer.result, secret: 1 } };
    expect(clusterAnswerSchema.safeParse(more).success).toBe(false);
  });
});
