import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PartChange } from '../../../tracer/contacts/kept-parts.js';
import type { SegmentStore } from '../../../tracer/contacts/segment-store.js';
import { FailingDisk, faultsOf } from './failing-disk.js';
import type { Fault } from './failing-disk.js';
import {
  addPeople,
  contact,
  expectedRows,
  inTimeOrder,
  openInline,
  rowsOf,
  temporaryFolder,
  toSeal,
} from './stage.js';

const PEOPLE = 4;
const sample = (seed: number, people: number) =>
  inTimeOrder(fc.sample(contact(people, 90_000), { seed, numRuns: 8 })).map((one) => ({
    ...one,
    evidence: undefined,
  }));
const [first, second] = [sample(1, PEOPLE), sample(2, PEOPLE + 2)] as const;

/** What a store holds, as far as answers depend on it. */
interface Holding {
  readonly rows: unknown;
  readonly size: number;
  readonly state: string | undefined;
  /** By name. */
  readonly parts: Readonly<Record<string, string>>;
  readonly people: number;
}

const sorted = (rows: ReturnType<typeof rowsOf>) =>
  rows.sort((x, y) => x.person - y.person || x.start - y.start || x.peer - y.peer || x.weight - y.weight);

const holding = (
  contacts: typeof first,
  size: number,
  state?: string,
  parts: Holding['parts'] = {},
): Holding => ({
  rows: sorted(expectedRows(contacts)),
  size,
  state,
  parts,
  people: size === 0 ? 0 : size === 1 ? PEOPLE : PEOPLE + 2,
});

const holdingOf = (store: SegmentStore): Holding => ({
  rows: sorted(store.segments.flatMap(({ segment }) => rowsOf(segment))),
  size: store.position.size,
  state: store.state && Buffer.from(store.state).toString(),
  parts: Object.fromEntries(
    [...store.takeParts()].map(([name, bytes]) => [
      name,
      Buffer.from(bytes).toString() + coldBody(store, name),
    ]),
  ),
  people: store.people.count,
});

/** What follows the head of a cold part. */
function coldBody(store: SegmentStore, name: string): string {
  const path = store.coldPath(name);
  return path === undefined ? '' : readFileSync(path, 'utf8').slice('head'.length);
}

/** What it holds after each commit of the life below. */
const HOLDINGS: readonly Holding[] = [
  holding([], 0),
  holding(first, 1, 'one', { grows: 'a', changes: 'p' }),
  holding([...first, ...second], 2, 'one', { grows: 'ab', changes: 'q', goes: 'x' }),
  holding([...first.slice(1), ...second], 3, 'three', {
    grows: 'abc',
    changes: 'q',
    goes: 'y',
    cold: 'head body',
  }),
  holding([], 4, 'three', { grows: 'abc', changes: 'q', cold: 'head body' }),
];

const part = (kind: 'append' | 'put', name: string, text: string): PartChange => ({
  kind,
  name,
  bytes: Buffer.from(text),
});

const COLD: PartChange = { kind: 'cold', name: 'cold', bytes: Buffer.from('head body'), headBytes: 4 };

/** Seals twice, compacts, drops. Calls `onCommit` after each commit. */
async function live(store: SegmentStore, onCommit: () => void): Promise<void> {
  const at = (size: number) => ({ position: { size } });
  addPeople(store, PEOPLE);
  const one = await store.seal(toSeal(first));
  await store.commit({
    add: [one],
    ...at(1),
    state: Buffer.from('one'),
    parts: [part('append', 'grows', 'a'), part('put', 'changes', 'p')],
  });
  onCommit();
  addPeople(store, PEOPLE + 2);
  const two = await store.seal(toSeal(second));
  await store.commit({
    add: [two],
    ...at(2),
    parts: [part('append', 'grows', 'b'), part('put', 'changes', 'q'), part('append', 'goes', 'x')],
  });
  onCommit();
  const ids = [one.info.id, two.info.id];
  const dropped = new Map([[one.info.id, Uint32Array.of(firstEntry(one.segment))]]);
  const both = await store.compact({ ids, dropped });
  await store.commit({
    add: both ? [both] : [],
    remove: ids,
    ...at(3),
    state: Buffer.from('three'),
    parts: [
      part('append', 'grows', 'c'),
      { kind: 'remove', name: 'goes' },
      part('append', 'goes', 'y'),
      COLD,
    ],
  });
  onCommit();
  await store.commit({
    remove: both ? [both.info.id] : [],
    ...at(4),
    parts: [{ kind: 'remove', name: 'goes' }],
  });
  onCommit();
}

/** Of the contact that comes first in the order of sealing. */
const firstEntry = ({ rows }: { readonly rows: Uint32Array }): number => rows[first[0]?.lower ?? -1] ?? -1;

async function liveWith(
  dir: string,
  fault?: Fault,
): Promise<{ committed: number; calls: readonly string[] }> {
  const disk = new FailingDisk(fault);
  let committed = 0;
  const store = await openInline(dir, { disk }).catch(() => undefined);
  try {
    if (store) await live(store, () => (committed += 1));
  } catch {
    // The end of a process.
  }
  await store?.close();
  disk.end();
  return { committed, calls: disk.calls };
}

async function whatIsLeft(dir: string): Promise<Holding> {
  const store = await openInline(dir);
  expect(store.damage).toEqual([]);
  const files = await readdir(dir);
  expect(files.filter((name) => /\.(segment|evidence)$/.test(name))).toHaveLength(2 * store.segments.length);
  expect(files.filter((name) => /^state|\.new$/.test(name))).toHaveLength(store.state ? 1 : 0);
  const found = holdingOf(store);
  expect(files.filter((name) => name.startsWith('part-'))).toHaveLength(Object.keys(found.parts).length);
  await store.commit({ position: { size: 77 } });
  await store.close();
  return found;
}

test('a store whose process ends at any call to the disk holds what one of its manifests said, and all it committed', async () => {
  const whole = await temporaryFolder();
  const { calls, committed } = await liveWith(whole);
  expect([committed, await whatIsLeft(whole)]).toEqual([4, HOLDINGS[4]]);
  const faults = faultsOf(calls, true);
  expect(faults.length).toBeGreaterThan(100);
  for (const fault of faults) {
    const dir = await temporaryFolder();
    const life = await liveWith(dir, fault);
    const left = await whatIsLeft(dir);
    const possible = [HOLDINGS[life.committed], HOLDINGS[life.committed + 1] ?? HOLDINGS[life.committed]];
    expect(possible, `${calls[fault.call]} ${fault.call} ${fault.way}`).toContainEqual(left);
    await rm(dir, { recursive: true });
  }
});

test('a store that met one error goes on where it can, stops where nobody can tell, and loses nothing committed', async () => {
  const { calls } = await liveWith(await temporaryFolder());
  let [wentOn, stopped] = [0, 0];
  for (const fault of faultsOf(calls, false).filter((_, i) => i % 2 === 0)) {
    const dir = await temporaryFolder();
    const disk = new FailingDisk(fault);
    const store = await openInline(dir, { disk }).catch(() => undefined);
    let committed = 0;
    if (store) await live(store, () => (committed += 1)).catch(() => undefined);
    const last = await store?.commit({ position: { size: 50 } }).then(
      () => 'committed',
      (error: { code: string }) => error.code,
    );
    await store?.close();
    disk.end();
    const { size, ...left } = await whatIsLeft(dir);
    const possible = [HOLDINGS[committed], HOLDINGS[committed + 1] ?? HOLDINGS[committed]];
    if (last === 'committed') expect(size).toBe(50);
    else expect([undefined, 'closed']).toContain(last);
    wentOn += last === 'committed' ? 1 : 0;
    stopped += last === 'closed' ? 1 : 0;
    expect(possible.map((one) => one?.state)).toContain(left.state);
    expect(possible.map((one) => one?.parts)).toContainEqual(left.parts);
    expect(possible.map((one) => JSON.stringify(one?.rows))).toContain(JSON.stringify(left.rows));
    await rm(dir, { recursive: true });
  }
  expect(Math.min(wentOn, stopped)).toBeGreaterThan(5);
});
