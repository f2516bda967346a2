import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { asTagNumber } from '../../../protocol/brands.js';
import { sha256 } from '../../../protocol/crypto/hash.js';
import type { ColdPath, PartChange } from '../../../tracer/contacts/kept-parts.js';
import { ReportChains } from '../../../tracer/reports/report-chains.js';
import { WordTable } from '../../../tracer/reports/word-table.js';
import { codeOf } from '../../protocol/errors-of.js';
import { keep } from '../keep-parts.js';

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

  it('knows how many are missing without going through them', () => {
    const chain = new ReportChains();
    expect(chain.gaps).toBe(0);
    for (let seq = 0; seq < 1000; seq++) chain.add(link(2 * seq + 1, `report ${2 * seq} 0`));
    for (let seq = 0; seq < 10; seq++) chain.add(link(2 * seq, undefined));
    const row = vi.spyOn(WordTable.prototype, 'row');
    onTestFinished(() => row.mockRestore());
    expect(chain.gaps).toBe(990);
    expect(row).not.toHaveBeenCalled();
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

  it('sees no gap where the report before was read and has left retention since', () => {
    const chain = new ReportChains();
    chain.add(link(0, undefined));
    chain.forgetBefore(6);
    chain.add({ ...link(1, 'report 0 0'), day: 6 });
    expect(chain.gaps).toBe(0);
  });

  it('remembers no more of reports that left retention than of those that were pruned, and the newest', () => {
    const chain = new ReportChains({ maxPruned: 10 });
    for (let seq = 0; seq < 40; seq++) chain.add({ ...link(seq, undefined), day: seq < 20 ? 5 : 4 });
    const before = chain.encode().length;
    chain.forgetBefore(6);
    expect(chain.encode().length - before).toBeLessThanOrEqual(10 * 16);
    for (const [seq, gaps] of [
      [19, 0],
      [39, 1],
    ] as const) {
      chain.add({ ...link(100 + seq, `report ${seq} 0`), day: 6 });
      expect(chain.gaps).toBe(gaps);
    }
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

/** A store whose cold parts are files, as a contact store keeps them. */
function coldFolder(dir: string) {
  const parts = new Map<string, Uint8Array>();
  const coldPath: ColdPath = (name) => (isCold(name) ? join(dir, name.replaceAll('/', '-')) : undefined);
  const isCold = (name: string): boolean => parts.has(name) && name.split('/').length > 2;
  const take = (changes: readonly PartChange[]): void => {
    const rest = changes.filter((change) => {
      if (change.kind !== 'cold') return true;
      expect(parts.has(change.name)).toBe(false);
      parts.set(change.name, change.bytes.slice(0, change.headBytes));
      writeFileSync(coldPath(change.name) ?? '', change.bytes);
      return false;
    });
    for (const { kind, name } of rest) if (kind === 'remove' && isCold(name)) rmSync(coldPath(name) ?? '');
    keep(parts, rest);
  };
  return { parts, coldPath, take, coldNames: () => [...parts.keys()].filter(isCold) };
}

const inFolder = async (use: (dir: string) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-reports-'));
  await use(dir).finally(() => rm(dir, { recursive: true }));
};

describe('chains that are saved', () => {
  it('go on as if they had never ended, sealed or not, by what changed since they were saved before', () => {
    const life = fc.array(fc.tuple(step, fc.nat({ max: 5 })), { maxLength: 60 });
    let sealed = 0;
    const property = fc.asyncProperty(life, fc.integer({ min: 1, max: 4 }), (steps, leastSealed) =>
      inFolder(async (dir) => {
        const { parts, coldPath, take: keepAll, coldNames } = coldFolder(dir);
        const whole = new ReportChains({ leastSealed });
        const anew = () => new ReportChains({ coldPath, leastSealed });
        let saved = anew();
        let firstDay = 0;
        for (const [index, [one, after]] of steps.entries()) {
          expect(take(saved, one, index)).toEqual(take(whole, one, index));
          expect(saved.gaps).toBe(whole.gaps);
          if (one.kind === 'forget') firstDay = Math.max(firstDay, one.day);
          if (after > 1) continue;
          keepAll(await saved.changes());
          saved.saved();
          sealed += coldNames().length;
          for (const name of parts.keys())
            expect(Number(name.split('/')[1])).toBeGreaterThanOrEqual(firstDay);
          expect(await saved.changes()).toEqual([]);
          if (after === 1) continue;
          const rest = saved.encode();
          saved = anew();
          saved.restore(rest, parts);
          expect(saved.forgetBefore(firstDay)).toBe(0);
        }
      }),
    );
    return fc.assert(property, { numRuns: 400 }).then(() => expect(sealed).toBeGreaterThan(100));
  });

  it('write what is new, not what is there', async () => {
    const chains = new ReportChains();
    for (let seq = 0; seq < 1000; seq++) chains.add(link(seq, undefined));
    chains.saved();
    chains.add(link(1000, undefined));
    const [change, ...others] = await chains.changes();
    expect(others).toEqual([]);
    expect(change).toMatchObject({ kind: 'append', name: 'reports/5' });
    expect(change?.kind === 'append' && change.bytes.length).toBe(56);
    chains.saved();
    expect(chains.forgetBefore(6)).toBe(1001);
    expect(await chains.changes()).toEqual([{ kind: 'remove', name: 'reports/5' }]);
  });

  it('write nothing of reports that were missing before and still are', async () => {
    const parts = new Map<string, Uint8Array>();
    const chains = new ReportChains();
    for (let seq = 0; seq < 50_000; seq++) chains.add(link(2 * seq + 1, `report ${2 * seq} 0`));
    keep(parts, await chains.changes());
    chains.saved();
    chains.add(link(200_000, undefined));
    const bytesOf = (changes: readonly PartChange[]): number =>
      changes.reduce((sum, change) => sum + (change.kind === 'remove' ? 0 : change.bytes.length), 0);
    expect(chains.encode().length + bytesOf(await chains.changes())).toBeLessThan(1000);
    keep(parts, await chains.changes());
    chains.saved();
    chains.add(link(0, undefined)); // one that was missing
    expect(chains.encode().length + bytesOf(await chains.changes())).toBeLessThan(1000);
    keep(parts, await chains.changes());
    const again = new ReportChains();
    again.restore(chains.encode(), parts);
    expect(again.gaps).toBe(49_999);
  });

  it('keep of missing reports that came not much more than of those that are missing', async () => {
    const parts = new Map<string, Uint8Array>();
    const chains = new ReportChains();
    for (let round = 0; round < 10; round++) {
      for (let k = 0; k < 1000; k++) {
        const seq = 2 * (1000 * round + k);
        chains.add(link(seq + 1, `report ${seq} 0`));
        if (k < 990) chains.add(link(seq, undefined));
      }
      keep(parts, await chains.changes());
      chains.saved();
    }
    expect(chains.gaps).toBe(100);
    expect(parts.get('missing/5')?.length).toBeLessThan(24 * 6000);
    const again = new ReportChains();
    again.restore(chains.encode(), parts);
    expect(again.gaps).toBe(100);
  });

  it('go on with the reports that are missing where an older version kept them', async () => {
    const parts = new Map<string, Uint8Array>();
    const chains = new ReportChains();
    chains.add(link(1, 'report 0 0'));
    chains.add({ ...link(3, 'report 2 0'), day: 6 });
    keep(parts, await chains.changes());
    const missing = new WordTable(7, 6);
    for (const day of [5, 6]) {
      const { buffer } = Uint8Array.from(parts.get(`missing/${day}`) ?? []);
      missing.add(Uint32Array.of(...new Uint32Array(buffer), day));
      parts.delete(`missing/${day}`);
    }
    const bytes = missing.encode();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    const older = new ReportChains();
    older.restore(Buffer.concat([length, bytes, chains.encode()]), parts);
    expect(older.gaps).toBe(2);
    keep(parts, await older.changes());
    expect([...parts.keys()].sort()).toEqual(['missing/5', 'missing/6', 'reports/5', 'reports/6']);
    expect(older.add(link(0, undefined))).toEqual({ kind: 'new' });
    older.forgetBefore(6);
    expect(older.gaps).toBe(1);
  });
});

describe('a day that is over', () => {
  /** A thousand reports of day 5, one of day 7, saved. */
  async function sealedIn(dir: string) {
    const folder = coldFolder(dir);
    const chains = new ReportChains({ coldPath: folder.coldPath, leastSealed: 1000 });
    for (let seq = 0; seq < 1000; seq++) chains.add(link(seq, `report ${seq - 1} 0`));
    folder.take(await chains.changes());
    chains.saved();
    expect(folder.coldNames()).toEqual([]);
    chains.add({ ...link(1000, 'report 999 0'), day: 7 });
    folder.take(await chains.changes());
    chains.saved();
    return { folder, chains };
  }

  it('lies in files that do not change, and is known as before; later words of it are live', () =>
    inFolder(async (dir) => {
      const { folder, chains } = await sealedIn(dir);
      expect([...folder.parts.keys()].sort()).toEqual([
        'missing/5',
        'reports/5/0/seen',
        'reports/5/0/standing',
        'reports/7',
      ]);
      for (const seq of [0, 1, 500, 999]) {
        expect(chains.add(link(seq, undefined, 0))).toEqual({ kind: 'retry' });
        expect(chains.add(link(seq, undefined, 1, 'other'))).toEqual({ kind: 'clone', firstIndex: 10 * seq });
      }
      expect(await chains.changes()).toEqual([]); // all of that was known
      expect(chains.gaps).toBe(1); // of the first, which names one that never was
      chains.add(link(1001, 'report 500 0'));
      chains.add(link(1002, 'report 1003 0'));
      expect(chains.gaps).toBe(2);
      expect(await chains.changes()).toMatchObject([
        { kind: 'append', name: 'reports/5' },
        { kind: 'append', name: 'missing/5' },
      ]);
    }));

  it('goes with the day, the files too', () =>
    inFolder(async (dir) => {
      const { folder, chains } = await sealedIn(dir);
      chains.add(link(1001, undefined));
      folder.take(await chains.changes());
      chains.saved();
      expect(chains.forgetBefore(6)).toBe(1001);
      folder.take(await chains.changes());
      expect([...folder.parts.keys()]).toEqual(['reports/7']);
      expect(await readdir(dir)).toEqual([]);
    }));

  it('is sealed once more when saving failed, with what came meanwhile', () =>
    inFolder(async (dir) => {
      const folder = coldFolder(dir);
      const chains = new ReportChains({ coldPath: folder.coldPath, leastSealed: 1 });
      chains.add(link(0, undefined));
      chains.add({ ...link(9, undefined), day: 7 });
      await chains.changes();
      chains.add(link(1, 'report 0 0'));
      folder.take(await chains.changes());
      chains.saved();
      const again = new ReportChains({ coldPath: folder.coldPath });
      again.restore(chains.encode(), folder.parts);
      for (const seq of [0, 1]) expect(again.add(link(seq, undefined))).toEqual({ kind: 'retry' });
      expect(again.forgetBefore(6)).toBe(2);
    }));

  it('says that it is damaged rather than anything else, whichever bit of it was changed', () =>
    inFolder(async (dir) => {
      const { folder, chains } = await sealedIn(dir);
      for (const name of folder.coldNames()) {
        const path = folder.coldPath(name) ?? '';
        const bytes = readFileSync(path);
        const from = folder.parts.get(name)?.length ?? 0;
        for (let byte = from; byte < bytes.length; byte += 4999) {
          const bent = Buffer.from(bytes);
          bent[byte] = (bent[byte] ?? 0) ^ (1 << (byte % 8));
          writeFileSync(path, bent);
          const words = Array.from({ length: 1000 }, (_, seq) => codeOf(() => ask(chains, seq)));
          expect(words.filter((word) => word === 'damaged').length, `byte ${byte}`).toBeGreaterThan(0);
          expect(new Set(words)).toEqual(new Set([undefined, 'damaged']));
        }
        writeFileSync(path, bytes.subarray(0, from));
        expect(codeOf(() => ask(chains, 3))).toBe('damaged');
        writeFileSync(path, bytes);
      }
      const gone = new ReportChains({ coldPath: () => undefined });
      expect(codeOf(() => gone.restore(chains.encode(), folder.parts))).toBe('damaged');
    }));
});

/** Both files are asked: for a seq that is known, and whether the report before is. */
function ask(chains: ReportChains, seq: number): void {
  chains.add(link(seq, undefined));
  chains.add(link(5_000 + seq, `report ${seq} 0`));
}
