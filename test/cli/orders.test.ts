/** Orders to an authority: done at most once, and nobody is told that nothing was done of what may have been. */
import { setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { takeOrders } from '../../cli/orders/order-desk.js';
import type { Order } from '../../cli/orders/order-files.js';
import { giveOrder } from '../../cli/orders/orders.js';
import { FirebreakError } from '../../protocol/errors.js';
import { announce } from '../../cli/files/run-files.js';
import { startFirebreak, until } from './firebreak-process.js';
import { attempt } from './in-process.js';

const NOTICE: Order = { what: 'notify', day: 20_000, code: 1, tags: [17] };
const REVOCATION: Order = { what: 'revoke', gatewayId: 'a0'.repeat(16) };
const ID = '00000000-0000-4000-8000-000000000000';
const never = new AbortController().signal;
setMaxListeners(0, never);

let folder: DataFolder;
/** What an authority carried out, in order. */
let done: Order[];

beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-orders-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  folder = folderAt(dir);
  done = [];
});

const carryOut = async (order: Order): Promise<string> => `done ${done.push(order)}`;
const round = () => takeOrders(folder, carryOut);
const left = () => readdir(folder.authority.orders);
const give = (patience = {}, signal = never) =>
  giveOrder(folder, NOTICE, signal, { takenWithinMs: 60_000, answeredWithinMs: 60_000, ...patience });
/** How an order ended: what it was answered, or the code of the error. */
const endOf = (given: Promise<string>): Promise<string> =>
  given.catch((error: unknown) => (error instanceof FirebreakError ? error.code : String(error)));
const waiting = () => until('an order', async () => (await left().catch(() => [])).find((name) => name.endsWith('.json')), { everyMs: 5 }); // prettier-ignore

/** Orders are waited for by a clock that leaps ahead when it is told to. */
function leapingClock(): (ms: number) => void {
  let aheadMs = 0;
  const now = performance.now.bind(performance);
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  onTestFinished(() => void spy.mockRestore());
  return (ms) => void (aheadMs += ms);
}

/** An authority that begins with the orders that wait and is gone before it says how they ended. */
async function dieOverOrders(): Promise<void> {
  await waiting();
  void takeOrders(folder, async (order) => {
    await carryOut(order);
    return new Promise(() => {});
  });
  await until('it to begin', () => done.length > 0, { everyMs: 5 });
}

describe('an order', () => {
  it('is carried out once, answered, and leaves nothing behind', async () => {
    const given = give();
    await waiting();
    await round();
    expect(await given).toBe('done 1');
    await round();
    expect(done).toEqual([NOTICE]);
    expect(await left()).toEqual([]);
  });

  it('that no authority takes is taken back, and the next authority does not carry it out', async () => {
    const given = give({ takenWithinMs: 20 });
    await expect(given).rejects.toMatchObject({ code: 'timeout' });
    await expect(given).rejects.toThrow('nothing was done');
    await round();
    expect(done).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('is taken back by Ctrl-C', async () => {
    const stop = new AbortController();
    const given = endOf(give({}, stop.signal));
    await waiting();
    stop.abort();
    expect(await given).toBe('closed');
    await round();
    expect(done).toEqual([]);
  });

  it('of a command that is told to stop is taken back', async () => {
    await attempt('authority', 'init', '--data-dir', folder.dir);
    await announce(folder, 'authority', { http: 'http://127.0.0.1:1' });
    const notify = startFirebreak(['authority', 'notify', '--data-dir', folder.dir, '--person', '17']);
    await waiting();
    notify.child.kill('SIGINT');
    expect(await notify.ended).toMatchObject({ code: 130 });
    expect(notify.stderr()).toContain('the order is taken back, and nothing was done');
    expect(await left()).toEqual([]);
  });

  it('that is begun in time is waited for beyond the time to begin', async () => {
    const leap = leapingClock();
    const given = give();
    await waiting();
    await takeOrders(folder, async (order) => {
      leap(60_000);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return carryOut(order);
    });
    expect(await given).toBe('done 1');
  });

  it('that an authority died over is not carried out again, and whoever gave it is told so', async () => {
    const given = give();
    await Promise.all([dieOverOrders(), until('it to begin', () => done.length > 0)]);
    await round();
    await expect(given).rejects.toMatchObject({ code: 'unconfirmed' });
    await expect(given).rejects.toThrow('may have been carried out');
    await round();
    expect(done).toEqual([NOTICE]);
    expect(await left()).toEqual([]);
  });

  it('that an authority died over is unconfirmed also when no other authority comes', async () => {
    const leap = leapingClock();
    const given = endOf(give({ answeredWithinMs: 20 }));
    await dieOverOrders();
    leap(60_000);
    expect(await given).toBe('unconfirmed');
  });

  it('under way is unconfirmed for whoever presses Ctrl-C, and done', async () => {
    const stop = new AbortController();
    const given = endOf(give({}, stop.signal));
    await dieOverOrders();
    stop.abort();
    expect(await given).toBe('unconfirmed');
    expect(done).toEqual([NOTICE]);
  });

  it.each<[string, Order, Error]>([
    ['input', NOTICE, new FirebreakError('not-found', 'no such gateway')],
    ['input', NOTICE, new FirebreakError('full', 'the spool is full')],
    ['input', REVOCATION, new FirebreakError('permission', 'the ledger refused it; gateways go by it')],
    ['input', { what: 'status' }, new FirebreakError('permission', 'the day keys cannot be listed')],
    ['unconfirmed', NOTICE, new Error('the disk failed after the entry went out')],
    ['unconfirmed', { what: 'retain' }, new FirebreakError('full', 'the spool is full, two keys are gone')],
  ])('that fails is answered %s, with the reason: %j, %s', async (code, order, error) => {
    const given = giveOrder(folder, order, never, { takenWithinMs: 60_000, answeredWithinMs: 60_000 });
    await waiting();
    await takeOrders(folder, () => Promise.reject(error));
    await expect(given).rejects.toMatchObject({ code });
    await expect(given).rejects.toThrow(error.message);
  });

  it.each([
    ['of yesterday', JSON.stringify({ givenMs: Date.now() - 86_400_000, order: NOTICE })],
    ['of tomorrow', JSON.stringify({ givenMs: Date.now() + 86_400_000, order: NOTICE })],
    ['of a version before', JSON.stringify(NOTICE)],
    ['that is no JSON', '{'],
  ])('%s, which somebody left behind, is not carried out', async (_what, text) => {
    await mkdir(folder.authority.orders, { recursive: true });
    await writeFile(join(folder.authority.orders, `${ID}.json`), text);
    await round();
    expect(done).toEqual([]);
    expect(await left()).toEqual([`${ID}.answer`]);
  });

  it('has one end for both sides, however they race', async () => {
    const given = Array.from({ length: 60 }, (_, n) =>
      endOf(
        giveOrder(folder, { ...NOTICE, code: n }, never, { takenWithinMs: n % 30, answeredWithinMs: 60_000 }),
      ),
    );
    let isOver = false;
    const authority = (async () => {
      while (!isOver) {
        await round();
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    const ends = await Promise.all(given);
    isOver = true;
    await authority;
    const times = ends.map(
      (_, n) => done.filter((order) => order.what === 'notify' && order.code === n).length,
    );
    expect(times).toEqual(ends.map((end) => (end === 'timeout' ? 0 : 1)));
    expect(ends.filter((end) => end !== 'timeout' && !end.startsWith('done'))).toEqual([]);
  });

  it('leaves an answer that nobody came for, for ten minutes', async () => {
    const file = join(folder.authority.orders, `${ID}.answer`);
    await mkdir(folder.authority.orders, { recursive: true });
    await writeFile(file, '{}');
    await writeFile(`${file}.77.tmp`, '{');
    await round();
    expect(await left()).toHaveLength(2);
    const before = new Date(Date.now() - 601_000);
    await utimes(file, before, before);
    await utimes(`${file}.77.tmp`, before, before);
    await round();
    expect(await left()).toEqual([]);
  });
});
