/** The day keys of a folder as a tracer holds them, while their files come, go and are damaged. */
import { chmod, copyFile, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DayKeyStore } from '../../authority/days/day-key-store.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { dayKeysIn } from '../../cli/parts/tracer-day-keys.js';
import { silentLog } from '../../protocol/log.js';
import type { LogFields } from '../../protocol/log.js';
import { dayOf } from '../../protocol/time.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import type { DayKeySource } from '../../tracer/intake/day-key-source.js';
import { dayKeys, gatewayEntry, NOON, recordOf, reportOf } from '../tracer/deployment.js';
import { MemoryLog } from '../tracer/memory-log.js';
import { tracerOn } from '../tracer/tracer-on.js';

const DAY = dayOf(NOON);

let dir: string;
let store: DayKeyStore;
let keys: DayKeySource;
let said: { readonly words: string; readonly fields: object | undefined }[];
const fileOf = (day: number): string => join(dir, `${day}.key`);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-keys-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  store = dayKeyFiles(dir);
  for (const day of [DAY - 1, DAY]) await store.put(dayKeys(day));
  said = [];
  const say = (words: string, fields?: object): void => void said.push({ words, fields });
  keys = dayKeysIn(store, { ...silentLog, info: say, warn: say });
});

describe('the day keys of a tracer', () => {
  it.each([
    ['cut short', 'damaged', (file: string) => truncate(file, 40)],
    ['open to others', 'permission', (file: string) => chmod(file, 0o644)],
  ])('of a file that is %s are not there, said once, and the others are', async (_how, code, spoil) => {
    await spoil(fileOf(DAY - 1));
    for (let k = 0; k < 3; k++) await keys.refresh();
    expect(keys.of(DAY - 1)).toBeUndefined();
    expect(keys.of(DAY)?.idKey).toEqual(dayKeys(DAY).idKey);
    expect(said).toMatchObject([{ fields: { day: DAY - 1, code } }]);
    expect(JSON.stringify(said)).toContain(fileOf(DAY - 1));
  });

  it('let the reports of a day count when its file is put back', async () => {
    await copyFile(fileOf(DAY), join(dir, 'copy'));
    await truncate(fileOf(DAY), 40);
    const log = new MemoryLog();
    log.append(reportOf({ tag: 1, records: [recordOf(2, NOON, 900)] }));
    const tracer = tracerOn(log, { dayKeys: keys });
    await tracer.catchUp();
    expect(tracer.status()).toMatchObject({ waiting: 1, contacts: 0 });
    await copyFile(join(dir, 'copy'), fileOf(DAY));
    await tracer.catchUp();
    expect(tracer.status()).toMatchObject({ waiting: 0, contacts: 1 });
    expect(said.map(({ words }) => words)).toEqual([
      'the keys of a day cannot be read: its reports wait until they can',
      'the keys of a day can be read again',
    ]);
  });

  it('are wiped from memory when the day is destroyed, and no others', async () => {
    await keys.refresh();
    const [ended, other] = [keys.of(DAY - 1), keys.of(DAY)];
    await store.destroy([DAY - 1]);
    await keys.refresh();
    const nothing = new Uint8Array(32);
    expect(ended).toMatchObject({ idKey: nothing, macKey: nothing, sealingSecretKey: nothing });
    expect(keys.of(DAY - 1)).toBeUndefined();
    expect(keys.of(DAY)).toBe(other);
    expect(other).toEqual(dayKeys(DAY));
  });

  it.each([
    ['the ledger has nothing new', undefined],
    ['the ledger is away', new Error('away')],
  ])('are wiped by a tracer that reads on although %s', async (_what, error) => {
    const log = new MemoryLog();
    log.append(reportOf({ tag: 1, records: [recordOf(2, NOON, 900)] }));
    const tracer = tracerOn(log, { dayKeys: keys });
    await tracer.catchUp();
    const [ended, other] = [keys.of(DAY - 1), keys.of(DAY)];
    await store.destroy([DAY - 1]);
    if (error) log.failing = { call: 'checkpoint', error };
    const added = tracer.catchUp().then((caughtUp) => caughtUp.added);
    await (error ? expect(added).rejects.toThrow('away') : expect(added).resolves.toBe(0));
    const nothing = new Uint8Array(32);
    expect(ended).toMatchObject({ idKey: nothing, macKey: nothing, sealingSecretKey: nothing });
    expect(keys.of(DAY - 1)).toBeUndefined();
    expect(keys.of(DAY)).toBe(other);
  });

  it('are wiped also while the contacts cannot be begun anew', async () => {
    const log = new MemoryLog();
    log.append(reportOf({ tag: 1, records: [recordOf(2, NOON, 900)] }));
    const contacts = memoryContactStore();
    const tracer = tracerOn(log, { dayKeys: keys, contacts });
    await tracer.catchUp();
    const ended = keys.of(DAY - 1);
    await store.destroy([DAY - 1]);
    vi.spyOn(contacts, 'damage', 'get').mockReturnValue(new Error('a bad disk'));
    vi.spyOn(contacts, 'beginAnew').mockRejectedValue(new Error('nor can it be removed'));
    await expect(tracer.catchUp()).rejects.toThrow('nor can it be removed');
    expect(ended).toMatchObject({ idKey: new Uint8Array(32), macKey: new Uint8Array(32) });
  });
});

describe('day keys that cannot be listed', () => {
  const unlisted: DayKeySource = {
    of: () => undefined,
    refresh: () => Promise.reject(new Error('the folder of keys is away')),
  };

  it('do not hide that a ledger was rolled back', async () => {
    const log = new MemoryLog().fill(3);
    const checkpoints = memoryCheckpointStore();
    await tracerOn(log, { dayKeys: keys, checkpoints }).catchUp();
    const [shorter, dayKeys] = [new MemoryLog().fill(2), unlisted];
    const reading = tracerOn(shorter, { dayKeys, checkpoints }).catchUp();
    await expect(reading).rejects.toMatchObject({ code: 'consistency' });
  });

  it('are said, and do not keep what is to be known from being said', async () => {
    const log = new MemoryLog();
    const approval = gatewayEntry();
    log.append(approval);
    log.prune(approval.payload);
    const warned: string[] = [];
    let isAway = false;
    const dayKeys = { of: keys.of, refresh: () => (isAway ? unlisted.refresh() : keys.refresh()) };
    const warn = (_words: string, fields?: LogFields) => void warned.push(String(fields?.['about']));
    const tracer = tracerOn(log, { dayKeys, log: { ...silentLog, warn } });
    const onProgress = (done: number) => void (isAway = done === 1); // nothing is to be read any more
    await expect(tracer.catchUp(onProgress)).rejects.toThrow('the folder of keys is away');
    expect(warned).toEqual(['missing reports']);
  });
});
