/** A page that fails half way, after the reports in it were noted: nothing that they told may be missing in the end. */
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../protocol/log.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { memoryContactStore, openContactStore } from '../../tracer/contacts/open-contact-store.js';
import type { ContactStoreSettings } from '../../tracer/contacts/store-assembly.js';
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import type { Tracer } from '../../tracer/tracer.js';
import { standingIn } from './contacts/all-contacts.js';
import { NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const HOUR = 3600;
const TAGS = [1, 2, 3, 4];

/** What a tag heard of the others on the day; each pair's other side tells of the same meetings. */
const wordOf = (tag: number) =>
  reportOf({
    tag,
    at: NOON + 6 * HOUR,
    records: TAGS.filter((peer) => peer !== tag).map((peer) =>
      recordOf(peer, NOON + (tag + peer) * 900, 600 + tag),
    ),
  });

const openIn = (dir: string, settings: Partial<ContactStoreSettings> = {}): Promise<ContactStore> =>
  openContactStore(dir, {
    log: silentLog,
    startThread: inlineTasks(NODE_STORE_DISK),
    ...{ tableRows: 16, leastRows: 1, waitingTables: 0 },
    ...settings,
  });

const savingTracer = (log: MemoryLog, contacts: ContactStore): Tracer =>
  tracerOn(log, { saveEvery: 1, contacts });

/** All that a word on a sealed contact is held against, in a file that cannot be read: a folder has taken its place. */
function breakEvidence(contacts: ContactStore, dir: string): void {
  const evidence = contacts.evidenceIn(contacts.view());
  expect(evidence.length).toBeGreaterThan(0);
  for (const { fd } of evidence) {
    closeSync(fd);
    // A new descriptor is the lowest that is free; what else was free meanwhile is given back.
    const others: number[] = [];
    for (let opened = openSync(dir, 'r'); opened !== fd; opened = openSync(dir, 'r')) {
      expect(opened).toBeLessThan(fd);
      others.push(opened);
    }
    for (const other of others) closeSync(other);
  }
}

/** A tracer that has read three of four words, and sealed them. */
async function sealedTracer(log: MemoryLog, dir: string) {
  log.nowMs = (NOON + 40 * HOUR) * 1000;
  for (const tag of TAGS.slice(0, 3)) log.append(wordOf(tag));
  const contacts = await openIn(dir);
  const tracer = savingTracer(log, contacts);
  await tracer.catchUp();
  for (const day of [1, 2]) {
    log.append(
      reportOf({
        tag: 9,
        seq: day,
        at: NOON + 24 * HOUR,
        records: [recordOf(8, NOON + day * 17 * HOUR, 60)],
      }),
    );
    await tracer.catchUp();
    await contacts.settled();
  }
  do {
    await contacts.settled();
    await tracer.catchUp();
  } while (contacts.wantsSave);
  return { contacts, tracer };
}

async function inOneGo(log: MemoryLog) {
  const contacts = memoryContactStore();
  const tracer = savingTracer(log, contacts);
  await tracer.catchUp();
  const { contacts: count, mutual, ...status } = tracer.status();
  return { standing: standingIn(tracer), count, mutual, status };
}

async function told(tracer: Tracer) {
  const { contacts: count, mutual, ...status } = tracer.status();
  return { standing: standingIn(tracer), count, mutual, status };
}

describe('a page that fails after its reports were noted', () => {
  let dir = '';
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'failed-page-'))));
  afterAll(() => rm(dir, { recursive: true }));

  it('is read again from the ledger, with all that came before it', async () => {
    const log = new MemoryLog();
    const folder = join(dir, 'read-again');
    const { contacts, tracer } = await sealedTracer(log, folder);
    breakEvidence(contacts, folder);
    log.append(wordOf(4));
    await tracer.catchUp();
    expect(await told(tracer)).toEqual(await inOneGo(log));
    await tracer.close();
    const again = savingTracer(log, await openIn(folder));
    expect((await again.catchUp()).added).toBe(0);
    expect((await told(again)).standing).toEqual((await inOneGo(log)).standing);
    await again.close();
  });

  it('is not made lasting when the tracer is closed before it could be read again', async () => {
    const log = new MemoryLog();
    const folder = join(dir, 'closed');
    const { contacts, tracer } = await sealedTracer(log, folder);
    breakEvidence(contacts, folder);
    log.append(wordOf(4));
    const clear = contacts.beginAnew.bind(contacts);
    contacts.beginAnew = () => Promise.reject(new Error('the folder cannot be removed'));
    await expect(tracer.catchUp()).rejects.toThrow('the folder cannot be removed');
    await expect(contacts.save({ size: 1 })).rejects.toThrow('EISDIR');
    contacts.beginAnew = clear;
    await tracer.close();
    const again = savingTracer(log, await openIn(folder));
    expect((await again.catchUp()).added).toBe(1);
    expect((await told(again)).standing).toEqual((await inOneGo(log)).standing);
    await again.close();
  });

  it('is taken once more when the versions of contacts ran out in it', async () => {
    const log = new MemoryLog();
    log.nowMs = (NOON + 40 * HOUR) * 1000;
    const folder = join(dir, 'worn');
    const contacts = await openIn(folder, { firstVersion: 2 ** 32 - 2 ** 28 - 3 });
    const tracer = savingTracer(log, contacts);
    for (const tag of TAGS) {
      log.append(wordOf(tag));
      await tracer.catchUp();
    }
    expect(tracer.view().version).toBeLessThan(100);
    expect(await told(tracer)).toEqual(await inOneGo(log));
    await tracer.close();
  });
});
