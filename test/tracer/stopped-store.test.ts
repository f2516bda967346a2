/** A disk that fails once where nobody can say any more what it holds: the tracer opens its folder again, and goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../protocol/log.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import { standingIn } from './contacts/all-contacts.js';
import { NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

it.each([1, 2, 3])(
  'reads on after %i errors of the rename of a manifest, with nothing lost',
  async (errors) => {
    const dir = await mkdtemp(join(tmpdir(), 'stopped-'));
    let left = errors;
    const rename = (from: string, to: string): Promise<void> =>
      left-- > 0 ? Promise.reject(new Error('no rename today')) : NODE_STORE_DISK.rename(from, to);
    const disk = { ...NODE_STORE_DISK, rename };
    const log = new MemoryLog();
    const contacts = await openContactStore(dir, { log: silentLog, disk, startThread: inlineTasks(disk) });
    const tracer = tracerOn(log, { contacts, saveEvery: 1 });
    for (let seq = 0; seq < 4; seq++) {
      log.append(reportOf({ tag: 1, seq, records: [recordOf(2, NOON + 1_000 * seq, 600)] }));
      await tracer.catchUp().catch(() => undefined);
    }
    await tracer.catchUp();
    const inOneGo = tracerOn(log);
    await inOneGo.catchUp();
    expect(standingIn(tracer)).toEqual(standingIn(inOneGo));
    expect(standingIn(tracer)).toHaveLength(4);
    for (const one of [tracer, inOneGo]) await one.close();
    await rm(dir, { recursive: true });
  },
);

it('leaves a disk alone that fails for long, longer each time, and goes on meanwhile; it says so once', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'stopped-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  let [isFailing, renames, nowMs] = [true, 0, 0];
  const rename = async (from: string, to: string): Promise<void> => {
    renames += 1;
    if (isFailing) throw new Error('no rename today');
    await NODE_STORE_DISK.rename(from, to);
  };
  const disk = { ...NODE_STORE_DISK, rename };
  const open = () => openContactStore(dir, { log: silentLog, disk, startThread: inlineTasks(disk) });
  const said: string[] = [];
  const note = (words: string): void => void said.push(words);
  const log = new MemoryLog();
  const given = { saveEvery: 1, nowMs: () => nowMs, log: { info: note, warn: note, error: note } };
  const tracer = tracerOn(log, { ...given, contacts: await open() });
  const readMore = async (times: number): Promise<void> => {
    for (let k = 0; k < times; k++) {
      log.append(reportOf({ tag: 1 + log.entries.length, records: [recordOf(900, NOON, 600)] }));
      await tracer.catchUp().catch(() => undefined);
    }
  };
  await readMore(10);
  expect([renames, tracer.status().contacts]).toEqual([2, 10]);
  const tries = [0];
  for (const end = 1_500_000; nowMs < end; nowMs += 5_000) {
    const before = renames;
    log.fill(1, nowMs / 5_000);
    await tracer.catchUp().catch(() => undefined);
    if (renames > before) tries.push(nowMs);
  }
  const pauses = tries.slice(1).map((at, k) => (at - (tries[k] ?? 0)) / 1000);
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  expect(tracer.status()).toMatchObject({ savingFails: true, contacts: 10 });
  expect(said.filter((words) => words.includes('cannot be saved'))).toHaveLength(1);
  isFailing = false;
  nowMs += 300_000;
  await readMore(1);
  expect(tracer.status()).toMatchObject({ savingFails: false, contacts: 11 });
  expect(said.at(-1)).toBe('what was warned of is over');
  await tracer.close();
  const again = tracerOn(log, { contacts: await open() });
  expect((await again.catchUp()).added).toBe(0);
  expect(again.status().contacts).toBe(11);
  await again.close();
});
