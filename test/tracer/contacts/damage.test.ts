import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { addPeople, contact, openInline, rowsOf, temporaryFolder, toSeal } from './stage.js';

const PEOPLE = 5;
let dir = '';
let rows: ReturnType<typeof rowsOf>[] = [];

/** Two segments, of which the second knows people that came later, and a state. */
beforeAll(async () => {
  dir = await temporaryFolder();
  const store = await openInline(dir);
  const sample = (people: number, seed: number) =>
    toSeal(fc.sample(contact(people, 90_000), { seed, numRuns: 30 }));
  addPeople(store, PEOPLE);
  await store.commit({ add: [await store.seal(sample(PEOPLE, 1))] });
  addPeople(store, PEOPLE + 3);
  await store.commit({
    add: [await store.seal(sample(PEOPLE + 3, 2))],
    position: { size: 7 },
    state: Buffer.from('what the caller keeps'),
    parts: [{ kind: 'append', name: 'part', bytes: Buffer.from('what the caller keeps of its own') }],
  });
  rows = store.segments.map(({ segment }) => rowsOf(segment));
  await store.close();
});

/** Opens the store with one file changed, tells `use`, and puts the file back. */
async function withFile(
  name: string,
  bytes: Uint8Array | undefined,
  use: (store: Awaited<ReturnType<typeof openInline>>) => unknown,
): Promise<void> {
  const path = join(dir, name);
  const whole = await readFile(path);
  await (bytes ? writeFile(path, bytes) : rm(path));
  try {
    const store = await openInline(dir);
    await use(store);
    await store.close();
  } finally {
    await writeFile(path, whole);
  }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

/** Bits spread over a file, another one of each byte. */
const someBits = (bytes: Uint8Array, step: number): number[] =>
  Array.from({ length: Math.floor(bytes.length / step) }, (_, i) => 8 * (i * step) + (i % 8));

describe('a store with a damaged file', () => {
  it('says which segment is lost to any flipped bit of its file, and has the others', async () => {
    const bytes = await readFile(join(dir, '1.segment'));
    for (const bit of someBits(bytes, 37))
      await withFile('1.segment', flipped(bytes, bit), (store) => {
        expect(store.damage).toMatchObject([
          { segment: 1, message: expect.stringContaining('1.segment') as string },
        ]);
        expect(store.segments.map(({ segment }) => rowsOf(segment))).toEqual([rows[1]]);
        expect(store.position.size).toBe(7);
      });
  });

  it('notices any flipped bit of evidence, at the latest when it is read', async () => {
    const bytes = await readFile(join(dir, '2.evidence'));
    for (const bit of someBits(bytes, 5))
      await withFile('2.evidence', flipped(bytes, bit), (store) => {
        const [{ segment } = { segment: undefined }] = store.segments.filter(({ info }) => info.id === 2);
        const read = (): unknown => segment && store.contactAt(segment, 0);
        if (segment === undefined) expect(store.damage.map((one) => one.segment)).toEqual([2]);
        else expect(read).toThrow(expect.objectContaining({ code: 'damaged' }));
      });
  });

  it('does not compact evidence that was changed', async () => {
    const bytes = await readFile(join(dir, '2.evidence'));
    await withFile('2.evidence', flipped(bytes, 8 * 100), async (store) => {
      await expect(store.compact({ ids: [1, 2] })).rejects.toMatchObject({ code: 'damaged' });
      expect(await readdir(dir)).not.toContain('3.segment');
    });
  });

  it('loses with the people after a damaged block the segments that know them', async () => {
    const bytes = await readFile(join(dir, 'people-0'));
    const secondBlock = 8 + 8 * PEOPLE;
    for (let bit = 0; bit < 8 * bytes.length; bit += 3)
      await withFile('people-0', flipped(bytes, bit), (store) => {
        const isFirst = bit < 8 * secondBlock;
        expect(store.damage.map(({ segment }) => segment)).toEqual(isFirst ? [1, 2] : [2]);
        expect(store.people.count).toBe(isFirst ? 0 : PEOPLE);
      });
  });

  it('does not believe a manifest with a flipped bit', async () => {
    const bytes = await readFile(join(dir, 'manifest.json'));
    for (const bit of someBits(bytes, 1)) {
      const changed = flipped(bytes, bit);
      // Between the fields of JSON some bits mean nothing.
      if (JSON.stringify(parsed(changed)) === JSON.stringify(parsed(bytes))) continue;
      await expect(withFile('manifest.json', changed, () => undefined)).rejects.toMatchObject({
        code: 'damaged',
      });
    }
  });

  it('has the ledger read from its start when a part is lost, cut short or flipped', async () => {
    const name = (await readdir(dir)).find((one) => one.startsWith('part-')) ?? '';
    const bytes = await readFile(join(dir, name));
    for (const changed of [
      undefined,
      bytes.subarray(1),
      ...someBits(bytes, 3).map((bit) => flipped(bytes, bit)),
    ])
      await withFile(name, changed, (store) => {
        expect(store.damage).toMatchObject([{ segment: undefined }]);
        expect([store.takeParts().size, store.position.size]).toEqual([0, 0]);
      });
  });

  it('takes no notice of what an unfinished change left behind a part', async () => {
    const name = (await readdir(dir)).find((one) => one.startsWith('part-')) ?? '';
    const bytes = await readFile(join(dir, name));
    await withFile(name, Buffer.concat([bytes, Buffer.from('more')]), (store) => {
      expect(store.damage).toEqual([]);
      expect([...store.takeParts().values()].map((part) => Buffer.from(part).equals(bytes))).toEqual([true]);
      expect(store.takeParts().size).toBe(0); // handed over once
    });
  });

  it('has the ledger read from its start when the state is lost', async () => {
    const name = (await readdir(dir)).find((one) => one.startsWith('state-')) ?? '';
    const bytes = await readFile(join(dir, name));
    for (const changed of [flipped(bytes, 3), bytes.subarray(1), undefined])
      await withFile(name, changed, (store) => {
        expect([store.state, store.position.size]).toEqual([undefined, 0]);
        expect(store.damage).toMatchObject([{ segment: undefined }]);
        expect(store.segments.length).toBe(2);
      });
  });

  it('goes on when a segment is cut short, is another’s, or is gone, and is whole once it is made again', async () => {
    const [bytes, other] = [await readFile(join(dir, '1.segment')), await readFile(join(dir, '2.segment'))];
    for (const changed of [
      bytes.subarray(0, 50),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, bytes]),
      other,
    ])
      await withFile('1.segment', changed, ({ damage }) =>
        expect(damage.map((one) => one.segment)).toEqual([1]),
      );
    await withFile('1.segment', undefined, async (store) => {
      expect(store.damage).toMatchObject([{ segment: 1, fromSeconds: expect.any(Number) as number }]);
      const again = await openInline(dir);
      expect(again.damage.map(({ segment }) => segment)).toEqual([1]);
      await again.close();
    });
  });
});

describe('a store whose people and a segment are lost', () => {
  it('is whole again when the segments are made anew', async () => {
    const bytes = await readFile(join(dir, 'people-0'));
    await writeFile(join(dir, 'people-0'), flipped(bytes, 8 * bytes.length - 1));
    const store = await openInline(dir);
    expect(store.damage.map(({ segment }) => segment)).toEqual([2]);
    addPeople(store, PEOPLE + 3);
    const made = await store.seal(toSeal(fc.sample(contact(PEOPLE + 3, 90_000), { seed: 2, numRuns: 30 })));
    await store.commit({ add: [made], remove: [2] });
    await store.close();
    const again = await openInline(dir);
    expect(again.damage).toEqual([]);
    expect(again.segments.map(({ segment }) => rowsOf(segment))).toEqual(rows);
    expect(again.people.count).toBe(PEOPLE + 3);
    expect((await readdir(dir)).filter((name) => name.startsWith('people-'))).toHaveLength(1);
    await again.close();
  });
});

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
