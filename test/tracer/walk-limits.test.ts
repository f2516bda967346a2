import { describe, expect, it } from 'vitest';
import { FirebreakError } from '../../protocol/errors.js';
import { trace, traceResult } from '../../tracer/looks/trace.js';
import { CALLED_OFF, OUT_OF_TIME } from '../../tracer/walk/pace.js';
import type { PresenceView } from '../../tracer/presence/presence-view.js';
import { tagsReached, walkTrace } from '../../tracer/walk/trace-walks.js';
import { buffersOf } from '../../tracer/walk/walk-result.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { referenceTrace } from '../reference/brute-force.js';
import { plainView, stageView } from '../reference/views.js';
import { asked, city, FIRST_TAG, meeting } from './walk-stage.js';

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof FirebreakError) return error.code;
    throw error;
  }
  return undefined;
};

describe('the list of a trace', () => {
  const { view } = city(400, 6_000);
  const whole = trace(view, asked({ hops: 3 }));

  it.each([0, 1, 7, 100, 386])(
    'holds the first %i people of the whole, and the count is the true one',
    (list) => {
      const cut = trace(view, asked({ hops: 3, list }));
      expect(cut.reached).toEqual(whole.reached.slice(0, list));
      expect([cut.reachedCount, whole.reachedCount]).toEqual([387, 387]);
      expect(whole.reached).toHaveLength(387);
    },
  );

  it('is cut among people reached in one second by their tag numbers', () => {
    const together = plainView(Array.from({ length: 50 }, (_, k) => meeting(1, 2 + ((k * 29) % 50), 1_000)));
    const { reached } = trace(together.view, asked({ case: '1', hops: 1, list: 20 }));
    expect(reached.map(({ person }) => Number(person))).toEqual(Array.from({ length: 20 }, (_, k) => k + 2));
  });

  it('holds the memory of those it lists and not of all who were reached, in buffers that can be transferred', () => {
    const many = city(3_000, 40_000);
    const { reached } = walkTrace(many.view, asked({ list: 10 }), new WalkWorkspace());
    expect([reached.person.length, reached.everyone.length > 2_000]).toEqual([10, true]);
    const { everyone, person, hop, exposedAt, earliestAt, score, paths } = reached;
    const { lastStep, before, near, far, kind, at } = paths;
    const rows = [person, hop, exposedAt, earliestAt, score, lastStep, before, near, far, kind, at];
    expect(rows.some(({ buffer }) => buffer === everyone.buffer)).toBe(false);
    const buffers = new Set(rows.map(({ buffer }) => buffer));
    expect([...buffers].reduce((bytes, { byteLength }) => bytes + byteLength, 0)).toBeLessThan(4_000);
    expect(new Set(buffersOf(reached))).toEqual(new Set([...buffers, everyone.buffer]));
    const moved = structuredClone(reached, { transfer: buffersOf(reached) });
    expect([moved.everyone.length > 2_000, moved.person.length, everyone.length]).toEqual([true, 10, 0]);
  });

  it('leaves out nobody of whom the record of the look is to tell', () => {
    const request = asked({
      direction: 'both',
      hops: 2,
      list: 3,
      latentSeconds: 400_000,
      from: 15_000,
      to: 25_000,
    });
    const walks = walkTrace(view, request, new WalkWorkspace());
    const listed = traceResult(view.people, request, walks);
    const everybody = trace(view, { ...request, list: 1_000 });
    const rows = [...everybody.reached, ...(everybody.sources ?? [])].map(({ person }) => Number(person));
    expect(rows.length).toBeGreaterThan(10);
    expect(listed.reached).toEqual(everybody.reached.slice(0, 3));
    expect(listed.sources).toEqual(everybody.sources?.slice(0, 3));
    expect([...tagsReached(view.people, walks)]).toEqual(rows.sort((x, y) => x - y));
  });
});

describe('a walk that is to end', () => {
  const { view } = city(400, 20_000);
  const whole = trace(view, asked());

  it.each([
    [OUT_OF_TIME, 'timeout'],
    [CALLED_OFF, 'closed'],
  ] as const)('throws when the flag says %i, and leaves the workspace as new', (said, code) => {
    const space = new WalkWorkspace();
    const flag = new Int32Array(new SharedArrayBuffer(4));
    expect(trace(view, asked(), { space, flag })).toEqual(whole);
    Atomics.store(flag, 0, said);
    for (const rounds of ['rows', 'sweep'] as const)
      expect(codeOf(() => trace(view, asked(), { space, flag, rounds }))).toBe(code);
    Atomics.store(flag, 0, 0);
    expect(trace(view, asked(), { space, flag })).toEqual(whole);
  });

  it('throws at a gateway where many pass by for less than counts', () => {
    const stayed = { gateway: 0, start: 10_000, end: 50_000 };
    let looked = 0;
    function* passersBy() {
      for (let person = 1; person < 100_000; person++, looked++)
        yield { person, gateway: 0, start: 20_000, end: 20_060 };
    }
    const presence: PresenceView = {
      staysOf: (person) => [{ person, ...stayed }],
      overlapping: passersBy,
      gateways: 1,
      gatewayId: () => new Uint8Array(16),
    };
    const flag = Int32Array.of(CALLED_OFF);
    const request = asked({ case: '1', presence: true, minSeconds: 900 });
    const { view: two } = plainView([meeting(1, 2, 10_000)]);
    expect(codeOf(() => trace(two, request, { presence, flag }))).toBe('closed');
    expect(looked).toBeLessThan(10_000);
  });

  it('does not ask who was at a gateway when somebody stayed there for less than counts', () => {
    const asking: number[] = [];
    const presence: PresenceView = {
      staysOf: (person) =>
        [899, 900].map((end) => ({ person, gateway: 0, start: 10_000, end: 10_000 + end })),
      overlapping: (_gateway, start, end) => (asking.push(end - start), []),
      gateways: 1,
      gatewayId: () => new Uint8Array(16),
    };
    const { view: two } = plainView([meeting(1, 2, 10_000)]);
    trace(two, asked({ case: '1', presence: true, minSeconds: 900, hops: 1 }), { presence });
    expect(asking).toEqual([900]);
  });

  it('throws when it meets more arrivals than the workspace may hold, and the next one is right', () => {
    const space = new WalkWorkspace(300);
    expect(codeOf(() => trace(view, asked(), { space }))).toBe('full');
    expect(codeOf(() => trace(view, asked({ infectiousSeconds: 90_000 }), { space }))).toBe('full');
    const near = asked({ hops: 1 });
    expect(trace(view, near, { space })).toEqual(trace(view, near));
  });
});

describe('a trace of large numbers', () => {
  it('holds somebody with 100,000 contacts, every one of which matters', () => {
    const many = Array.from({ length: 100_000 }, (_, k) => meeting(1, 2 + (k % 1000), 1_000 + 10 * k));
    const { reachedCount } = trace(
      plainView(many).view,
      asked({ case: '1', hops: 2, infectiousSeconds: 4_000_000 }),
    );
    expect(reachedCount).toBe(1000);
  });

  it.each([65_535, 65_536, 75_600, 75_601])('counts %i seconds near within a day', (minSeconds) => {
    const day = Array.from({ length: 84 }, (_, k) => meeting(1, 2, 900 * k, 900));
    const request = asked({ case: '1', hops: 1, minSeconds });
    const { view, options } = plainView(day);
    const { reached } = trace(view, request, options);
    expect(reached.map(({ exposedAt }) => exposedAt)).toEqual(
      referenceTrace(day, request).reached.map(({ exposedAt }) => exposedAt),
    );
    expect(reached).toHaveLength(minSeconds <= 75_600 ? 1 : 0);
  });

  it.each(['live', 'sealed'])('counts no more of a %s contact than the store holds', (kind) => {
    // What the two sides told, one of all of it immediate and the other near.
    const told = { bucketSeconds: [2_700, 2_700, 0, 0] } as const;
    const day = Array.from({ length: 20 }, (_, k) => ({ ...meeting(1, 2, 3_000 * k, 2_700), ...told }));
    const { view, options } = stageView(day, (below) => (kind === 'live' && below === 5 ? 3 : 0));
    expect(view.live.some(({ start }) => start.includes(3_000))).toBe(kind === 'live');
    const countOf = (minSeconds: number) =>
      trace(view, asked({ case: '1', hops: 1, minSeconds }), options).reachedCount;
    expect([countOf(20 * 4_095), countOf(20 * 4_095 + 1)]).toEqual([1, 0]);
  });

  it('takes a latent period that nobody lives to see the end of', () => {
    const { view } = city(50, 500);
    const once = trace(view, asked({ hops: 1 }));
    expect(trace(view, asked({ latentSeconds: Number.MAX_SAFE_INTEGER }))).toMatchObject({
      reached: once.reached,
    });
  });
});

describe('a trace refuses', () => {
  const { view } = city(10, 60);

  it('a case that nobody met', () => {
    expect(codeOf(() => trace(view, asked({ case: '99999' })))).toBe('not-found');
    expect(trace(view, asked({ case: String(FIRST_TAG + 1) })).reachedCount).toBeGreaterThan(0);
  });

  it('seconds of another class, or presence, where there is nothing to tell them', () => {
    expect(codeOf(() => trace(view, asked({ attenuation: 'immediate', minSeconds: 1 })))).toBe('input');
    expect(codeOf(() => trace(view, asked({ presence: true })))).toBe('input');
    expect(codeOf(() => trace(view, asked({ attenuation: 'medium' })))).toBe(undefined); // with 0 s any contact will do
  });

  it.each([{ hops: 0 }, { hops: 17 }, { from: 5, to: 4 }, { list: -1 }, { list: 0.5 }, { list: 2 ** 22 }])(
    'what is out of bounds: %o',
    (changes) => {
      expect(codeOf(() => trace(view, asked(changes)))).toBe('input');
    },
  );
});

describe('a path by co-presence', () => {
  it('names the gateway and the entries of its reports', () => {
    const { view, options } = plainView(
      [meeting(1, 2, 1_000)],
      [
        { tag: 2, gateway: 1, start: 1_000, end: 9_000 },
        { tag: 3, gateway: 1, start: 2_000, end: 5_000 },
      ],
    );
    const ledgerOf: NonNullable<typeof options.ledgerOf> = ({ spot, start, end }) =>
      spot.kind === 'presence' ? [spot.gateway, start, end] : [];
    const request = asked({ case: '1', presence: true, minSeconds: 60 });
    const { reached } = trace(view, request, { ...options, ledgerOf });
    expect(reached[1]?.path[1]).toEqual({
      ...{ from: '2', to: '3', start: 2_000, end: 5_000, nearSeconds: 0, mutual: false },
      ...{ ledger: [1, 2_000, 5_000], gateway: 'ab01' },
    });
    expect(reached[0]?.path[0]).not.toHaveProperty('gateway');
  });
});
