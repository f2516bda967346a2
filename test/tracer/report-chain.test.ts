import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asTagNumber } from '../../protocol/brands.js';
import { sha256 } from '../../protocol/hash.js';
import { ReportChains } from '../../tracer/report-chain.js';
import { keep } from './keep-parts.js';

const hashOf = (name: string): Uint8Array => sha256(Buffer.from(name));
const NONE = new Uint8Array(32);

/** The report of a seq, sent for the `sending`-th time, that names `prev`. */
function link(seq: number, prev: string | undefined, sending = 0, content = `content ${seq}`) {
  return {
    tag: asTagNumber(7),
    day: 5,
    seq,
    prev: prev === undefined ? NONE : hashOf(prev),
    reportHash: hashOf(`report ${seq} ${sending}`),
    plaintextHash: hashOf(content),
    ledgerIndex: 10 * seq + sending,
  };
}

describe('a chain of reports', () => {
  it('counts a report that is named and never came, until it comes', () => {
    const chain = new ReportChains();
    expect(chain.add(link(0, undefined))).toEqual({ kind: 'new' });
    expect(chain.add(link(2, 'report 1 0'))).toEqual({ kind: 'new' });
    expect(chain.gaps).toBe(1);
    expect(chain.add(link(1, 'report 0 0'))).toEqual({ kind: 'new' });
    expect(chain.gaps).toBe(0);
  });

  it('closes a gap with any of the retries', () => {
    for (const named of [0, 1, 2]) {
      const chain = new ReportChains();
      chain.add(link(1, `report 0 ${named}`));
      expect(chain.gaps).toBe(1);
      for (const sending of [0, 1, 2]) chain.add(link(0, undefined, sending));
      expect(chain.gaps).toBe(0);
    }
  });

  it('sees no gap where a seq was spent on a report that was never receipted', () => {
    const chain = new ReportChains();
    chain.add(link(0, undefined));
    chain.add(link(2, 'report 0 0'));
    expect(chain.gaps).toBe(0);
  });

  it('tells a retry from a clone, says where the first stands, and links nothing to a clone', () => {
    const chain = new ReportChains();
    chain.add(link(0, undefined, 3));
    expect(chain.add(link(0, undefined, 1))).toEqual({ kind: 'retry' });
    expect(chain.add(link(0, undefined, 2, 'other content'))).toEqual({ kind: 'clone', firstIndex: 3 });
    chain.add(link(1, 'report 0 2'));
    expect(chain.gaps).toBe(1);
  });

  it('has no gap and takes each seq once, in whatever order reports and retries are logged', () => {
    const honest = fc
      .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 })
      .chain((sendings) => {
        const links = sendings.flatMap((count, seq) =>
          Array.from({ length: count }, (_, sending) => {
            const named = (sendings[seq - 1] ?? 1) - 1;
            return link(seq, seq === 0 ? undefined : `report ${seq - 1} ${named}`, sending);
          }),
        );
        return fc.record({
          seqs: fc.constant(sendings.length),
          links: fc.shuffledSubarray(links, { minLength: links.length }),
        });
      });
    fc.assert(
      fc.property(honest, ({ seqs, links }) => {
        const chain = new ReportChains();
        const kinds = links.map((one) => chain.add(one).kind);
        expect(kinds.filter((kind) => kind === 'new')).toHaveLength(seqs);
        expect(kinds).not.toContain('clone');
        expect(chain.gaps).toBe(0);
      }),
    );
  });
});

type Step =
  | {
      readonly kind: 'add';
      readonly tag: number;
      readonly seq: number;
      readonly day: number;
      readonly content: number;
    }
  | { readonly kind: 'forget'; readonly day: number }
  | { readonly kind: 'prune'; readonly seq: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      tag: fc.constantFrom(7, 8, 2 ** 40 + 7),
      seq: fc.nat({ max: 6 }),
      day: fc.integer({ min: 4, max: 8 }),
      content: fc.nat({ max: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('forget' as const), day: fc.integer({ min: 4, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune' as const), seq: fc.nat({ max: 6 }) }) },
);

function take(chains: ReportChains, one: Step, index: number): unknown {
  if (one.kind === 'forget') return chains.forgetBefore(one.day);
  if (one.kind === 'prune') return chains.notePruned(hashOf(`report ${one.seq} 0`));
  const { tag, seq, day, content } = one;
  const prev = seq === 0 ? undefined : `report ${seq - 1} ${content}`;
  const told = link(seq, prev, index % 2, `content ${seq} ${content}`);
  return chains.add({ ...told, tag: asTagNumber(tag), day, ledgerIndex: index });
}

describe('chains that are saved', () => {
  it('go on as if they had never ended, by what changed since they were saved before', () => {
    const life = fc.array(fc.tuple(step, fc.nat({ max: 5 })), { maxLength: 60 });
    fc.assert(
      fc.property(life, (steps) => {
        const whole = new ReportChains();
        let saved = new ReportChains();
        const parts = new Map<string, Uint8Array>();
        let firstDay = 0;
        for (const [index, [one, after]] of steps.entries()) {
          expect(take(saved, one, index)).toEqual(take(whole, one, index));
          expect(saved.gaps).toBe(whole.gaps);
          if (one.kind === 'forget') firstDay = Math.max(firstDay, one.day);
          if (after > 1) continue;
          keep(parts, saved.changes());
          saved.saved();
          expect(saved.changes()).toEqual([]);
          if (after === 1) continue;
          const rest = saved.encode();
          saved = new ReportChains();
          saved.restore(rest, parts);
          expect(saved.forgetBefore(firstDay)).toBe(0);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('write what is new, not what is there', () => {
    const chains = new ReportChains();
    for (let seq = 0; seq < 1000; seq++) chains.add(link(seq, undefined));
    chains.saved();
    chains.add(link(1000, undefined));
    const [change, ...others] = chains.changes();
    expect(others).toEqual([]);
    expect(change).toMatchObject({ kind: 'append', name: 'reports/5' });
    expect(change?.kind === 'append' && change.bytes.length).toBe(56);
    chains.saved();
    expect(chains.forgetBefore(6)).toBe(1001);
    expect(chains.changes()).toEqual([{ kind: 'remove', name: 'reports/5' }]);
  });
});
