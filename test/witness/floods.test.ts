/** Anybody can read the checkpoint cosigned last, and so ask a witness to cosign it again, as often as they like. */
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { encodeAddCheckpoint } from '../../protocol/tlog/add-checkpoint.js';
import { cosignedAt } from '../../protocol/tlog/cosignature.js';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog, type LogFields } from '../../protocol/log.js';
import { openNote } from '../../protocol/tlog/note.js';
import type { WitnessState } from '../../witness/state.js';
import { logSigner, logView } from './log-views.js';
import { startWitness } from './running-witness.js';

const honest = logView('honest', 100, 100);

/** Counts saves, and holds each until it is let go. */
function heldSaves() {
  const held: (() => void)[] = [];
  const count = { saves: 0 };
  const stateOver = (state: WitnessState): WitnessState => ({
    load: (origin) => state.load(origin),
    save: async (origin, note) => {
      count.saves += 1;
      if (count.saves > 1) await new Promise<void>((resolve) => held.push(resolve));
      await state.save(origin, note);
    },
    keepFork: (notes) => state.keepFork(notes),
    close: () => state.close(),
  });
  const letGo = () => held.splice(0).forEach((resolve) => resolve());
  return { count, stateOver, letGo };
}

test('a witness saves nothing to answer with the lines it gave in the same second', async () => {
  let now = 2000;
  const { count, stateOver, letGo } = heldSaves();
  const { post, cosigner } = await startWitness('w1', { nowSeconds: () => now, stateOver });
  const first = await (await post(await honest.request(0, 5))).text();
  now += 0.9;
  for (let i = 0; i < 5; i++) expect(await (await post(await honest.request(5, 5))).text()).toBe(first);
  expect(count.saves).toBe(1);
  now += 0.1;
  const next = post(await honest.request(5, 5));
  await expect.poll(() => count.saves).toBe(2);
  letGo();
  const { text, unverified } = openNote(honest.note(5) + (await (await next).text()), [logSigner]);
  expect(cosignedAt(text, unverified, cosigner)).toBe(2001);
});

test('a witness gives no cosignature again that it found on the disk before it has synced it itself', async () => {
  let saves = 0;
  const stateOver = (state: WitnessState): WitnessState => ({
    load: (origin) => state.load(origin),
    save: async (origin, note) => {
      saves += 1;
      await state.save(origin, note);
      if (saves === 1) throw new FirebreakError('input', 'the folder could not be synced');
    },
    keepFork: (notes) => state.keepFork(notes),
    close: () => state.close(),
  });
  const { post, dir, stop } = await startWitness('w1', { nowSeconds: () => 2000, stateOver });
  expect((await post(await honest.request(0, 5))).status).toBe(503);
  expect((await post(await honest.request(5, 5))).status).toBe(200);
  expect(saves).toBe(2);
  expect((await post(await honest.request(5, 5))).status).toBe(200);
  expect(saves).toBe(2);
  await stop();
  const again = await startWitness('w1', { dir, nowSeconds: () => 2000, stateOver });
  expect((await again.post(await honest.request(5, 5))).status).toBe(200);
  expect(saves).toBe(3);
});

test('a witness lets 64 wait for their turn, and says 503 to more until one is done', async () => {
  const { stateOver, letGo, count } = heldSaves();
  const { post } = await startWitness('w1', { stateOver, limits: { connections: 100 } });
  await post(await honest.request(0, 5));
  const saving = post(await honest.request(5, 6));
  await expect.poll(() => count.saves).toBe(2);
  const stale = await honest.request(0, 6);
  const answers = Array.from({ length: 70 }, async () => {
    const { status } = await post(stale);
    if (status === 503) letGo();
    return status;
  });
  const statuses = await Promise.all(answers);
  expect(statuses.filter((status) => status === 409).length).toBeGreaterThanOrEqual(63);
  expect(statuses).toContain(503);
  expect((await saving).status).toBe(200);
  const after = post(await honest.request(6, 7));
  await expect.poll(() => count.saves).toBe(3);
  letGo();
  expect((await after).status).toBe(200);
});

test('a witness closes a connection that asks on without waiting for answers, and answers its log', async () => {
  const { url, post } = await startWitness('w1');
  await post(await honest.request(0, 10));
  const body = await honest.request(10, 10);
  const words = `POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.resume().write(words.repeat(2000));
  await new Promise((resolve) => socket.once('close', resolve)); // it may be reset before that
  expect((await post(await honest.request(10, 20))).status).toBe(200);
});

test('a witness says once of a checkpoint that it is not shown to continue its log, however often anybody asks', async () => {
  const said: unknown[] = [];
  const log = { ...silentLog, warn: (_: string, fields?: LogFields) => void said.push(fields?.['to']) };
  let now = 2000;
  const { post } = await startWitness('w1', { log, nowSeconds: () => now });
  await post(await honest.request(0, 5));
  const refused = async (size: number) => {
    const body = encodeAddCheckpoint({ oldSize: 5, proof: [honest.root(5)], checkpoint: honest.note(size) });
    expect((await post(body)).status).toBe(422);
  };
  for (let i = 0; i < 3; i++) await refused(5); // what it cosigned itself: nothing is wrong with the log
  expect(said).toEqual([]);
  for (let i = 0; i < 3; i++) for (const size of [6, 7]) await refused(size);
  expect(said).toEqual([6, 7]);
  for (let size = 8; size < 60; size++) await refused(size);
  now += 1;
  expect((await post(await honest.request(5, 5))).status).toBe(200); // saved again, and nothing has grown
  await refused(6);
  expect(said).toHaveLength(16);
  expect((await post(await honest.request(5, 60))).status).toBe(200);
  const body = { oldSize: 60, proof: [], checkpoint: honest.note(61) };
  for (let i = 0; i < 3; i++) expect((await post(encodeAddCheckpoint(body))).status).toBe(422);
  expect(said.slice(16)).toEqual([61]);
});
