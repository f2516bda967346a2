/**
 * A question that ends while the ledger takes its look, or while evidence is made of an answer whose look it has: the
 * refusal says of the look what is known of it.
 */
import { afterEach, expect, it, vi } from 'vitest';
import { asUnixMs } from '../../../protocol/brands.js';
import { x25519KeyPair } from '../../../protocol/crypto/x25519.js';
import type { TracerApi } from '../../../tracer/api/contract.js';
import { Desk } from '../../../tracer/api/desk.js';
import { refusedBy } from '../../../tracer/api/refusal.js';
import { accessRecorder } from '../../../tracer/looks/access.js';
import { look, ward } from '../evidence-stage.js';
import { realApi, refusalOf, serve } from './stage.js';

afterEach(() => void vi.useRealTimers());

const walked = { hops: 3, minSeconds: 900, latentSeconds: 0 };
const request = { ...walked, case: '1', direction: 'forward' } as const;
const purpose = 'ward outbreak';

/** Of a ledger that never says whether it has the look; `begun` resolves once it was sent one. */
async function unconfirmed(): Promise<{ readonly api: TracerApi; readonly begun: Promise<void> }> {
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const access = accessRecorder({
    auditPublicKey: x25519KeyPair(new Uint8Array(32).fill(5)).publicKey,
    nowMs: () => asUnixMs(1_790_000_000_000),
    randomBytes: (length) => new Uint8Array(length).fill(4),
    commit: () => {
      begin();
      return new Promise(() => undefined);
    },
  });
  return { api: (await realApi(undefined, { access })).api, begun };
}

/** Of a ledger that takes the look, and then does not answer; `begun` resolves once it was asked. */
async function silentOnceRecorded(): Promise<{ readonly api: TracerApi; readonly begun: Promise<void> }> {
  const log = ward();
  const before = log.entries.length;
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const reader = log.reader();
  const checkpoint = (): Promise<string> => {
    if (log.entries.length === before) return reader.checkpoint();
    begin();
    return new Promise(() => undefined);
  };
  return { api: (await realApi(log, { reader: { ...reader, checkpoint } })).api, begun };
}

it.each([
  ['trace', request],
  ['trace', { ...request, case: '99' }],
  ['path', { ...request, person: '3' }],
  ['contacts', { person: '2' }],
  ['cluster', { ...walked, cases: [{ tag: '1' }, { tag: '3' }] }],
])('as the tracer stops: %s', async (question, asked) => {
  const { api, begun } = await unconfirmed();
  const { post, close } = await serve(api);
  const answer = post(`/v1/${question}`, { purpose, request: asked });
  await begun;
  await close();
  expect(await refusalOf(await answer)).toEqual({
    ...{ status: 503, code: 'closed' },
    message: 'the tracer is stopping; the look may be recorded',
  });
});

it('as the time of the question is over', async () => {
  const { api, begun } = await unconfirmed();
  expect(await refusedInTime(api, {}, begun)).toEqual({
    ...{ status: 504, code: 'timeout' },
    message: 'the question takes too long; ask for fewer hops or a shorter window; the look may be recorded',
  });
});

it('as the tracer stops, once the look of evidence is recorded', async () => {
  const { api, begun } = await silentOnceRecorded();
  const { post, close } = await serve(api);
  const answer = post('/v1/evidence', { purpose, request });
  await begun;
  await close();
  expect(await refusalOf(await answer)).toEqual({
    ...{ status: 503, code: 'closed' },
    message: 'the tracer is stopping; the look is recorded',
  });
});

it('as the time of the question is over, once the look of evidence is recorded', async () => {
  const { api, begun } = await silentOnceRecorded();
  expect(await refusedInTime(api, { evidence: {} }, begun)).toEqual({
    ...{ status: 504, code: 'timeout' },
    message: 'the question takes too long; ask for fewer hops or a shorter window; the look is recorded',
  });
});

/** How a trace is refused whose time is over once it is so far. */
async function refusedInTime(api: TracerApi, wish: { readonly evidence?: object }, begun: Promise<void>) {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const desk = new Desk({ atOnce: 1, waiting: 0, sending: 0, questionMs: 50 });
  const asked = desk.ask(new AbortController(), (signal) =>
    api.trace({ request, ...wish }, { look, signal }),
  );
  const refused = asked.then(() => undefined, refusedBy);
  await begun;
  vi.advanceTimersByTime(50);
  return refused;
}
