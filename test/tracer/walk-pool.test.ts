import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import type { ContactView } from '../../tracer/contacts/view.js';
import { PresenceBook } from '../../tracer/presence/presence-book.js';
import { tagsReached, walkTrace } from '../../tracer/walk/trace-walks.js';
import type { TraceWalks } from '../../tracer/walk/trace-walks.js';
import type { WalkQuestion } from '../../tracer/walk/walk-messages.js';
import { newsOf, viewAfter } from '../../tracer/walk/walk-messages.js';
import { openWalkPool } from '../../tracer/walk/walk-pool.js';
import type { WalkPool, WalkPoolOptions } from '../../tracer/walk/walk-pool.js';
import { startWalkThread } from '../../tracer/walk/walk-thread.js';
import type { StartWalkThread, WalkThread } from '../../tracer/walk/walk-thread.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { openInline, START, temporaryFolder, toSeal } from './contacts/stage.js';
import { asked, city } from './walk-stage.js';

const { view: large } = city(400, 20_000);

function opened(threads = 1, options: WalkPoolOptions = {}): WalkPool {
  const pool = openWalkPool(threads, options);
  onTestFinished(() => pool.close());
  return pool;
}

/** What this thread finds, with the tags in order as a thread adds them. */
function inline(view: ContactView, request = asked(), options = {}): TraceWalks {
  const walks = walkTrace(view, request, new WalkWorkspace(), options);
  return { ...walks, tags: tagsReached(view.people, walks) };
}

const codeOf = (walked: Promise<unknown>): Promise<string | undefined> =>
  walked.then(
    () => undefined,
    (error: unknown) => (error instanceof FirebreakError ? error.code : String(error)),
  );

describe('threads that walk', () => {
  it('find what this thread finds, one question after the other', async () => {
    const onDeath = vi.fn();
    const pool = opened(2, { onDeath });
    const requests = [
      {},
      { direction: 'both' },
      { direction: 'backward', hops: 2 },
      { infectiousSeconds: 600 },
    ] as const;
    const walked = requests.map((changes) => pool.walk(large, { request: asked(changes) }));
    expect(await Promise.all(walked)).toEqual(requests.map((changes) => inline(large, asked(changes))));
    expect(pool.status()).toEqual({ threads: 2, walking: 0, waiting: 0 });
    await pool.close();
    expect(onDeath).not.toHaveBeenCalled();
  });

  it('leave no question behind where none can be started, nor one that waited for the one that died', async () => {
    const none = () => {
      throw new Error('no more threads');
    };
    const never = opened(1, { startThread: none });
    expect(await codeOf(never.walk(large, { request: asked() }))).toBe('closed');
    expect(never.status()).toMatchObject({ threads: 0, waiting: 0 });
    let starts = 0;
    const once: StartWalkThread = (onEnd) => {
      if (starts++ > 0) none();
      const ask = () =>
        Promise.reject(new FirebreakError('closed', 'it died')).finally(() => onEnd('it died'));
      return { ask, show: () => undefined, stop: () => undefined, end: () => Promise.resolve() };
    };
    const onDeath = vi.fn();
    const pool = opened(1, { startThread: once, onDeath });
    const both = [1, 2].map(() => codeOf(pool.walk(large, { request: asked() })));
    expect(await Promise.all(both)).toEqual(['closed', 'closed']);
    expect(pool.status()).toMatchObject({ threads: 0, waiting: 0 });
    expect(onDeath.mock.calls).toEqual([['it died']]);
  });

  it('see what a store has taken since, though only the version is posted', async () => {
    const store = memoryContactStore();
    const word = (reporter: number, peer: number, epoch: number) => ({
      ...{
        reporter: asTagNumber(reporter),
        peer: asTagNumber(peer),
        epoch: asEpoch(epoch),
        start: 900 * epoch,
      },
      ...{ end: 900 * epoch + 300, bucketSeconds: [300, 0, 0, 0] as const, medianAttenuationDb: 50 },
      ...{ partial: false, ledgerIndex: epoch },
    });
    const pool = opened();
    store.add([word(1, 2, 1_000)]);
    const before = store.view();
    const request = asked({ case: '1' });
    expect((await pool.walk(before, { request })).reached.reachedCount).toBe(1);
    store.add([word(2, 3, 1_001), word(3, 4, 1_002)]);
    const after = store.view();
    expect(newsOf(after, before).view).toBeUndefined();
    expect((await pool.walk(after, { request })).reached.reachedCount).toBe(3);
    expect((await pool.walk(before, { request })).reached.reachedCount).toBe(1);
  });

  it('are told of a view again when it has another segment', () => {
    const other = { ...large, segments: [...large.segments, ...city(5, 20).view.segments] };
    expect(newsOf(other, large).view).toBe(other);
    expect(viewAfter(newsOf({ ...large, version: 9 }, large), large)).toEqual({ ...large, version: 9 });
  });

  it('read buckets from evidence files, and presence from its snapshot', async () => {
    const store = await openInline(await temporaryFolder());
    onTestFinished(() => store.close());
    for (const tag of [100, 200, 300]) store.people.add(tag);
    const met = (lower: number, upper: number, start: number, immediate: number) => ({
      ...{
        lower,
        upper,
        start: START + start,
        durationSeconds: 600,
        bucketSeconds: [immediate, 300, 0, 0] as const,
      },
      ...{ attenuationDb: 50, mutual: true, partial: false, nearInDay: 1_000, evidence: undefined },
    });
    const sealed = await store.seal(toSeal([met(0, 1, 0, 50), met(0, 1, 900, 80), met(0, 2, 1_800, 70)]));
    await store.commit({ add: [sealed] });
    const replaced = { slots: new Int32Array(3), touched: new Uint8Array(3) };
    const common = { version: 0, live: [], replaced, keepFrom: 0 };
    const view = { ...common, people: store.people.view(), segments: [sealed.segment] };
    const book = new PresenceBook({ personOf: (tag) => store.people.add(tag) });
    for (const tag of [100, 300].map(asTagNumber))
      book.add({ tag, gatewayId: new Uint8Array(16).fill(7), start: START, end: START + 500 });
    const request = asked({ attenuation: 'immediate', minSeconds: 120, presence: true });
    const question: Omit<WalkQuestion, 'view'> = {
      request,
      evidence: [store.evidenceOf(sealed.info.id)],
      presence: book.snapshot(),
    };
    const walks = await opened().walk(view, question);
    expect([...walks.reached.person]).toEqual([2, 1]);
    expect([...walks.reached.exposedAt]).toEqual([START + 500, START + 1_500]);
    const bucketsOf = (_: unknown, entry: number) => store.contactAt(sealed.segment, entry).bucketSeconds;
    expect(walks).toEqual(inline(view, request, { bucketsOf, presence: book.view() }));
  });

  it('throw what a walk throws, and go on', async () => {
    const onDeath = vi.fn();
    const pool = opened(1, { onDeath });
    expect(await codeOf(pool.walk(large, { request: asked({ case: '7' }) }))).toBe('not-found');
    expect(await codeOf(pool.walk(large, { request: asked({ hops: 99 }) }))).toBe('input');
    expect(await codeOf(pool.walk(large, { request: asked({ presence: true }) }))).toBe('input');
    expect(await pool.walk(large, { request: asked() })).toEqual(inline(large));
    expect(onDeath).not.toHaveBeenCalled();
  });
});

describe('a question to threads that walk', () => {
  it('ends at its time limit while it is walked, and so does one that waits', async () => {
    const pool = opened();
    const walked = codeOf(pool.walk(large, { request: asked() }, { limitMs: 1 }));
    const waits = codeOf(pool.walk(large, { request: asked() }, { limitMs: 1 }));
    expect(await Promise.all([walked, waits])).toEqual(['timeout', 'full']);
    expect(await pool.walk(large, { request: asked() })).toEqual(inline(large));
  });

  it('can be called off while it is walked, while it waits, and before', async () => {
    const onDeath = vi.fn();
    const pool = opened(1, { onDeath });
    const abort = new AbortController();
    const { signal } = abort;
    const walked = [0, 1].map(() => codeOf(pool.walk(large, { request: asked() }, { signal })));
    expect(pool.status()).toMatchObject({ walking: 1, waiting: 1 });
    abort.abort();
    expect(await Promise.all(walked)).toEqual(['closed', 'closed']);
    expect(await codeOf(pool.walk(large, { request: asked() }, { signal }))).toBe('closed');
    expect(pool.status()).toMatchObject({ walking: 0, waiting: 0 });
    expect(onDeath).not.toHaveBeenCalled();
  });

  it('says in words of its own that it never began, and else why it was called off', async () => {
    const pool = opened();
    const abort = new AbortController();
    const [walked, waits] = [0, 1].map(() =>
      pool.walk(large, { request: asked() }, { signal: abort.signal }).catch((error: unknown) => error),
    );
    const late = new FirebreakError('timeout', 'the question takes too long; ask for fewer hops');
    abort.abort(late);
    expect(await walked).toBe(late);
    expect(await waits).toMatchObject({
      code: 'full',
      message: expect.stringContaining('did not begin') as string,
    });
    const gone = new FirebreakError('closed', 'whoever asked has gone');
    const { signal } = { signal: AbortSignal.abort(gone) };
    await expect(pool.walk(large, { request: asked() }, { signal })).rejects.toBe(gone);
  });

  it('has no limit of its own where there is a signal', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { signal } = new AbortController();
    const pool = opened();
    const walked = pool.walk(large, { request: asked() }, { signal });
    expect(vi.getTimerCount()).toBe(0);
    const limited = codeOf(pool.walk(large, { request: asked() }));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(30_000);
    expect(await limited).toBe('full');
    expect(await walked).toEqual(inline(large));
  });

  it('is refused when too many wait already', async () => {
    const pool = opened();
    const aborts = Array.from({ length: 66 }, () => new AbortController());
    const all = aborts.map(({ signal }) => codeOf(pool.walk(large, { request: asked() }, { signal })));
    for (const abort of aborts) abort.abort();
    const codes = await Promise.all(all);
    expect(codes.filter((code) => code === 'full')).toHaveLength(1);
    expect(codes.at(-1)).toBe('full');
  });

  it('is rejected when its thread dies; another thread answers the next', async () => {
    const threads: WalkThread[] = [];
    const start: StartWalkThread = (onEnd) => {
      const thread = startWalkThread(onEnd);
      threads.push(thread);
      return thread;
    };
    const onDeath = vi.fn();
    const pool = opened(1, { startThread: start, onDeath });
    const [lost, next] = [0, 1].map(() => pool.walk(large, { request: asked() }));
    await threads[0]?.end();
    expect(lost && (await codeOf(lost))).toBe('closed');
    expect(await next).toEqual(inline(large));
    expect([threads.length, onDeath.mock.calls]).toEqual([2, [['it ended']]]);
    await pool.close();
    expect(onDeath).toHaveBeenCalledTimes(1);
  });

  it('is counted for as long as it is walked, whatever comes of it', async () => {
    const pool = opened();
    const count = (): number => Atomics.load(pool.underWay, 0);
    const [walked, refused] = [
      pool.walk(large, { request: asked() }),
      codeOf(pool.walk(large, { request: asked({ case: '7' }) })),
    ];
    expect(count()).toBe(1);
    await walked;
    expect(count()).toBe(1);
    expect(await refused).toBe('not-found');
    expect(count()).toBe(0);
  });

  it('is rejected when the pool closes', async () => {
    const onDeath = vi.fn();
    const pool = openWalkPool(1, { onDeath });
    const walked = [0, 1].map(() => codeOf(pool.walk(large, { request: asked() })));
    await pool.close();
    expect(onDeath).not.toHaveBeenCalled();
    expect(await Promise.all(walked)).toEqual(['closed', 'closed']);
    expect(await codeOf(pool.walk(large, { request: asked() }))).toBe('closed');
  });
});
