/** A sealing or a compaction that fails while its result is put in place, with a change made while its thread worked. */
import type * as NodeFs from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { silentLog } from '../../../protocol/log.js';
import { DAY_SECONDS } from '../../../protocol/time.js';
import type { ContactStore } from '../../../tracer/contacts/contact-store.js';
import { LiveKeeper } from '../../../tracer/contacts/live-state.js';
import { LiveWriter } from '../../../tracer/contacts/live-writer.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { PeopleDirectory } from '../../../tracer/contacts/people.js';
import { SealedContacts } from '../../../tracer/contacts/sealed-contacts.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import type { StartTaskThread } from '../../../tracer/contacts/task-thread.js';
import { standingIn } from './all-contacts.js';
import { temporaryFolder } from './stage.js';

/** Reads of evidence on this thread: which of them fails, counted from 1. */
const reads = vi.hoisted(() => ({ count: 0, failing: 0 }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof NodeFs>();
  const readSync = (...args: unknown[]): number => {
    reads.count += 1;
    if (reads.count === reads.failing)
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    return (fs.readSync as (...all: unknown[]) => number)(...args);
  };
  return { ...fs, readSync };
});

afterEach(() => vi.restoreAllMocks());

const DAY = 20_000;
const met = (day: number, k: number, reporter = 1, peer = 2 + k) => ({
  reporter: asTagNumber(reporter),
  peer: asTagNumber(peer),
  epoch: asEpoch(96 * day + k),
  start: day * DAY_SECONDS + 900 * k,
  end: day * DAY_SECONDS + 900 * k + 600,
  bucketSeconds: [600, 0, 0, 0] as const,
  medianAttenuationDb: 40,
  partial: false,
  ledgerIndex: 100 * reporter + k,
});
const dayOf = (day: number) => Array.from({ length: 12 }, (_, k) => met(day, k));
const othersWord = met(DAY, 3, 5, 1);

/** Tasks of this kind wait, once begun, until the gate is open. */
function gated(kind: 'seal' | 'compact') {
  let [reached, open] = [(): void => undefined, (): void => undefined];
  const isReached = new Promise<void>((resolve) => (reached = resolve));
  const gate = new Promise<void>((resolve) => (open = resolve));
  const inline = inlineTasks(NODE_STORE_DISK);
  const startThread: StartTaskThread = () => {
    const thread = inline();
    const run: typeof thread.run = async (task, onPeople) => {
      if (task.kind === kind) {
        reached();
        await gate;
      }
      return thread.run(task, onPeople);
    };
    return { ...thread, run };
  };
  return { startThread, isReached, open };
}

const openIn = (dir: string, startThread: StartTaskThread = inlineTasks(NODE_STORE_DISK)) =>
  openContactStore(dir, { log: silentLog, startThread, tableRows: 16, leastRows: 2, waitingTables: 1 });

interface Opened {
  readonly dir: string;
  readonly store: ContactStore;
  /** Lets the thread, which waits, go on. */
  readonly open: () => void;
}

/** A day is being sealed, and the other side's word came on one of its contacts. */
async function whileSealing(): Promise<Opened> {
  const { startThread, isReached, open } = gated('seal');
  const dir = await temporaryFolder();
  const store = await openIn(dir, startThread);
  store.add(dayOf(DAY));
  store.add([met(DAY + 2, 0), met(DAY + 2, 1)]);
  await isReached;
  store.add([othersWord]);
  return { dir, store, open };
}

/** The same while days that are sealed and saved are compacted. */
async function whileCompacting(): Promise<Opened> {
  const { startThread, isReached, open } = gated('compact');
  const dir = await temporaryFolder();
  const store = await openIn(dir, startThread);
  for (const day of [DAY, DAY + 1, DAY + 4, DAY + 5]) store.add(dayOf(day));
  await store.settled();
  await store.save({ size: 1 });
  await isReached;
  store.add([othersWord]);
  return { dir, store, open };
}

const filesOf = async (dir: string): Promise<string[]> =>
  (await readdir(dir)).filter((name) => /\.(segment|evidence)$/.test(name)).sort();

describe.each([
  { what: 'sealing', begin: whileSealing, contacts: 14, saved: 0 },
  { what: 'compaction', begin: whileCompacting, contacts: 48, saved: 48 },
])('a $what during which the other side told of a contact', ({ begin, contacts, saved }) => {
  /** The n-th read from when the gate is open fails. */
  const failedAt = async (read: number) => {
    const { dir, store, open } = await begin();
    const before = { standing: standingIn(store), files: await filesOf(dir) };
    Object.assign(reads, { count: 0, failing: read });
    open();
    const failure = await store.settled().then(
      () => undefined,
      (error: unknown) => error,
    );
    const { count } = reads;
    reads.failing = 0;
    return { dir, store, before, failure, count };
  };

  it('changes nothing when a read fails, whichever it is, and is made once more', async () => {
    const { store: sound, count } = await failedAt(0);
    await sound.close();
    expect(count).toBeGreaterThan(2);
    for (let read = 1; read <= count; read++) {
      const { dir, store, before, failure } = await failedAt(read);
      expect(failure).toMatchObject({ code: 'EIO' });
      expect(store.damage).toBeUndefined();
      expect(store.status().contacts).toBe(contacts);
      expect(standingIn(store)).toEqual(before.standing);
      expect(await filesOf(dir)).toEqual(before.files);
      await store.settled();
      await store.save({ size: 2 });
      expect(standingIn(store)).toEqual(before.standing);
      await store.close();
      const again = await openIn(dir);
      expect(again.status().contacts).toBe(contacts);
      expect(standingIn(again)).toEqual(before.standing);
      await again.close();
    }
  });

  it('is damage when it fails with the segment in place: the store goes on from what was saved before', async () => {
    const { store, open } = await begin();
    vi.spyOn(SealedContacts.prototype, 'replace').mockImplementationOnce(() => {
      throw new RangeError('no memory');
    });
    open();
    await expect(store.settled()).rejects.toThrow('no memory');
    expect(store.damage?.message).toBe('no memory');
    await expect(store.save({ size: 2 })).rejects.toThrow('no memory');
    await store.beginAnew();
    expect(store.damage).toBeUndefined();
    expect(store.status().contacts).toBe(saved);
    await store.close();
  });

  it('is not saved when it fails so while a save is prepared', async () => {
    const { store, open } = await begin();
    vi.spyOn(SealedContacts.prototype, 'replace').mockImplementationOnce(() => {
      throw new RangeError('no memory');
    });
    vi.spyOn(LiveKeeper.prototype, 'prepare').mockImplementationOnce(async () => {
      open();
      await store.settled().catch(() => undefined);
    });
    await expect(store.save({ size: 2 })).rejects.toThrow('no memory');
    await store.beginAnew();
    expect(store.status().contacts).toBe(saved);
    await store.close();
  });
});

it('a table that there is no memory for leaves the one that is written to as it was', () => {
  const writer = new LiveWriter(new PeopleDirectory(), new SealedContacts(), 16);
  const [lower, upper] = [writer.people.add(asTagNumber(1)), writer.people.add(asTagNumber(2))];
  const row = (epoch: number) => ({
    ...{
      lower,
      upper,
      epoch,
      start: 900 * epoch,
      duration: 600,
      immediate: 600,
      near: 0,
      medium: 0,
      other: 0,
    },
    ...{ attenuationDb: 40, mutual: false, partial: false, nearInDay: 600, sides: undefined },
  });
  expect(writer.append(row(1_920_000))).toBe(true);
  expect(() => writer.rotate(2 ** 53)).toThrow(RangeError);
  expect(writer.append(row(1_920_001))).toBe(true);
  expect(writer.tables.flatMap((table) => [...table.alive()])).toEqual([1, 2]);
});
