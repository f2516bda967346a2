/** A witness over HTTP: every status of C2SP tlog-witness, and what it remembers. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { encodeAddCheckpoint, TLOG_SIZE_TYPE } from '../../protocol/tlog/add-checkpoint.js';
import { cosignedAt, type Cosigner } from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { noteSigner, openNote, signNote } from '../../protocol/tlog/note.js';
import { beginState, lookAtState, openStateFolder } from '../../witness/state-folder.js';
import { openWitness } from '../../witness/witness.js';
import { silentLog, type LogFields } from '../../protocol/log.js';
import { logSigner, logView, ORIGIN } from './log-views.js';
import { cosignerNamed, startWitness, temporaryFolder, type RunningWitness } from './running-witness.js';

const honest = logView('honest', 100);
const forked = logView('forked', 100);

/** When `cosigner` says it cosigned, from an answer and the checkpoint that was sent. */
function timeIn(answer: string, note: string, cosigner: Cosigner): number | undefined {
  const { text, unverified } = openNote(note + answer, [logSigner]);
  return cosignedAt(text, unverified, cosigner);
}

const stateFile = (dir: string) => join(dir, createHash('sha256').update(ORIGIN).digest('hex'));

async function statusOf(response: Promise<Response>): Promise<[number, string]> {
  const { status, text } = await response.then(async (answer) => ({
    status: answer.status,
    text: await answer.text(),
  }));
  return [status, text];
}

async function witnessAt(size: number): Promise<RunningWitness> {
  const witness = await startWitness('w1');
  expect((await witness.post(await honest.request(0, size))).status).toBe(200);
  return witness;
}

describe('a witness', () => {
  test('cosigns a log as it grows, any number of entries at a time', async () => {
    const { post, cosigner } = await startWitness('w1', { nowSeconds: () => 1_790_000_000.7 });
    let old = 0;
    for (const size of [0, 0, 1, 2, 7, 8, 8, 255, 256, 257, 600]) {
      const answer = await post(await honest.request(old, size));
      expect(answer.status).toBe(200);
      expect(timeIn(await answer.text(), honest.note(size), cosigner)).toBe(1_790_000_000);
      old = size;
    }
  });

  test('answers with its cosignature alone, on a line that ends in a newline', async () => {
    const { post } = await startWitness('w1');
    const answer = await post(await honest.request(0, 5));
    expect(await answer.text()).toMatch(/^— witness\.example\/w1 [0-9a-zA-Z+/]{101}[0-9a-zA-Z+/=]{3}\n$/);
    expect(answer.headers.get('content-type')).toContain('text/plain');
  });

  test('says 409 and the size it has, whatever else is wrong with the proof', async () => {
    const { post } = await witnessAt(7);
    for (const old of [0, 6, 8, 9]) {
      const answer = await post(await honest.request(old, 20));
      expect(answer.status).toBe(409);
      expect(answer.headers.get('content-type')).toBe(TLOG_SIZE_TYPE);
      expect(await answer.text()).toBe('7\n');
    }
    const never = await startWitness('w2');
    expect(await statusOf(never.post(await honest.request(3, 5)))).toEqual([409, '0\n']);
  });

  test('says 400 for an old size above the new, also where that would be a rollback', async () => {
    const { post } = await witnessAt(7);
    expect((await post(await honest.request(7, 6))).status).toBe(400);
    expect(await statusOf(post(await honest.request(6, 6)))).toEqual([409, '7\n']);
  });

  test('says 404 for a log it does not know, and 403 for one that did not sign', async () => {
    const { post } = await startWitness('w1');
    const stranger = noteSigner('log.example/other', fastSigner(Buffer.alloc(32, 3)));
    const impostor = noteSigner(ORIGIN, fastSigner(Buffer.alloc(32, 3)));
    const body = (checkpoint: string) => encodeAddCheckpoint({ oldSize: 0, proof: [], checkpoint });
    expect((await post(body(honest.note(5, stranger)))).status).toBe(404);
    expect((await post(body(honest.note(5, impostor)))).status).toBe(403);
    expect((await post(body(honest.note(5).replace('\n5\n', '\n6\n')))).status).toBe(403);
    const { text } = openNote(honest.note(5), [logSigner]);
    const badly = { ...logSigner, sign: () => new Uint8Array(64) };
    expect((await post(body(signNote(text, [impostor, badly])))).status).toBe(403);
    expect((await post(body(signNote(text, [impostor, logSigner])))).status).toBe(200);
  });

  test('knows a log by each of its keys', async () => {
    const second = noteSigner(ORIGIN, fastSigner(Buffer.alloc(32, 4)));
    const { post } = await startWitness('w1', { logs: [logSigner, second] });
    expect((await post(await honest.request(0, 3))).status).toBe(200);
    const checkpoint = honest.note(5, second);
    const proof = await honest.proof(3, 5);
    expect((await post(encodeAddCheckpoint({ oldSize: 3, proof, checkpoint }))).status).toBe(200);
  });

  test('says 422 for a proof that is wrong, missing, too long or not empty', async () => {
    const { post } = await witnessAt(7);
    const proof = await honest.proof(7, 20);
    const checkpoint = honest.note(20);
    const none = new Uint8Array(32);
    for (const wrong of [
      [],
      proof.slice(1),
      [...proof, none],
      [none, ...proof.slice(1)],
      [...proof].reverse(),
    ])
      expect((await post(encodeAddCheckpoint({ oldSize: 7, proof: wrong, checkpoint }))).status).toBe(422);
    const again = { oldSize: 7, proof: [none], checkpoint: honest.note(7) };
    expect((await post(encodeAddCheckpoint(again))).status).toBe(422);
    const fresh = await startWitness('w2');
    expect((await fresh.post(encodeAddCheckpoint({ oldSize: 0, proof, checkpoint }))).status).toBe(422);
    expect((await post(await honest.request(7, 20))).status).toBe(200);
  });

  test('says 409 for another root at the size it has, and keeps both checkpoints to be shown', async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (message: string) => void errors.push(message) };
    const witness = await startWitness('w1', { log });
    await witness.post(await honest.request(0, 200));
    for (let i = 0; i < 2; i++) {
      const answer = await witness.post(await forked.request(200, 200));
      expect(answer.status).toBe(409);
      // a log that is told the size it named would take it for another, and ask again
      expect(answer.headers.get('content-type')).not.toBe(TLOG_SIZE_TYPE);
      expect(await answer.text()).toContain('another root was cosigned for 200 entries');
    }
    const twice = ['two roots for one size', 'kept in the folder forks', 'two roots', 'kept in'];
    expect(errors).toEqual(twice.map((words) => expect.stringContaining(words) as string));
    const forks = join(witness.dir, 'forks');
    const kept = await Promise.all((await readdir(forks)).map((name) => readFile(join(forks, name), 'utf8')));
    expect(kept.map((note) => openNote(note, [logSigner]).text).sort()).toEqual(
      [honest, forked].map((view) => openNote(view.note(200), [logSigner]).text).sort(),
    );
  });

  test('says 422 for a fork that has grown beyond it, at every size', async () => {
    const { post } = await witnessAt(150);
    for (const size of [151, 256, 600])
      expect((await post(await forked.request(150, size))).status).toBe(422);
    expect((await post(await honest.request(150, 600))).status).toBe(200);
  });

  test.each([
    ['nothing', ''],
    ['no old size', 'log.example\n\n'],
    ['an old size with a zero before', 'old 00\n\n'],
    ['an old size that is none', 'old x\n\n'],
    ['a size too large', 'old 9007199254740993\n\n'],
    ['two spaces', 'old  0\n\n'],
    ['no checkpoint', 'old 0\n\n'],
    ['a hash that is too short', 'old 1\nAAAA\n\n'],
    ['a hash with loose bits', `old 1\n${'A'.repeat(42)}B=\n\n`],
    ['too many hashes', `old 1\n${`${'A'.repeat(43)}=\n`.repeat(64)}\n`],
  ])('says 400 for a request with %s', async (_, head) => {
    const { post } = await startWitness('w1');
    const checkpoint = head.startsWith('old 0\n\n') || head === '' ? '' : honest.note(5);
    expect((await post(head + checkpoint)).status).toBe(400);
  });

  test('says 400 for what is not a checkpoint, though the log signed it', async () => {
    const { post } = await startWitness('w1');
    for (const text of [
      `${ORIGIN}\n5\n`,
      `${ORIGIN}\n05\n${'A'.repeat(43)}=\n`,
      `${ORIGIN}\n5\nAAAA\n`,
      `${ORIGIN}\n5\n${'A'.repeat(43)}=\n\nx\n`,
    ])
      expect((await post(`old 0\n\n${signNote(text, [logSigner])}`)).status).toBe(400);
    expect((await post(Buffer.from([0x6f, 0xff]))).status).toBe(400);
  });

  test('cosigns extension lines and leaves open what they mean', async () => {
    const { post, cosigner } = await startWitness('w1');
    const { text } = openNote(honest.note(5), [logSigner]);
    const note = signNote(`${text}an extension\n`, [logSigner]);
    const answer = await post(encodeAddCheckpoint({ oldSize: 0, proof: [], checkpoint: note }));
    expect(timeIn(await answer.text(), note, cosigner)).toBeGreaterThan(0);
  });

  test('says 405 for another method, 404 elsewhere, 413 for too much, and who it is', async () => {
    const { url, post } = await startWitness('w1');
    const { status, headers } = await fetch(`${url}/add-checkpoint`);
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    const posted = await fetch(url, { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await fetch(`${url}/checkpoint`, { method: 'PUT', body: 'x' })).status).toBe(404);
    expect((await fetch(`${url}/checkpoint`)).status).toBe(404);
    expect((await post('x'.repeat(256 * 1024 + 1))).status).toBe(413);
    expect(await (await fetch(url)).text()).toContain('witness witness.example/w1+');
  });

  test('lets one of many who come at once through, and tells the others where it is', async () => {
    const { post } = await witnessAt(7);
    const sizes = [8, 9, 50, 90, 300, 301];
    const answers = await Promise.all(
      sizes.map(async (size) => statusOf(post(await honest.request(7, size)))),
    );
    const cosigned = sizes.filter((_, i) => answers[i]?.[0] === 200);
    expect(cosigned).toHaveLength(1);
    for (const [status, text] of answers)
      if (status !== 200) expect([status, text]).toEqual([409, `${cosigned[0]}\n`]);
  });

  test('never goes back in time when its clock does, by a little', async () => {
    let now = 2000;
    const { post, cosigner } = await startWitness('w1', { nowSeconds: () => now });
    await post(await honest.request(0, 5));
    now = 1700;
    const answer = await post(await honest.request(5, 6));
    expect(timeIn(await answer.text(), honest.note(6), cosigner)).toBe(2000);
  });

  test('whose clock was far ahead cosigns nothing until then, says so once, and goes on when the clock is right', async () => {
    let now = 4_102_444_800;
    const said: unknown[] = [];
    const log = { ...silentLog, error: (text: string, fields?: LogFields) => void said.push([text, fields]) };
    const first = await startWitness('w1', { nowSeconds: () => now, log });
    expect((await first.post(await honest.request(0, 5))).status).toBe(200);
    now = 1_790_000_000;
    const ahead = [
      expect.stringContaining('dated in the future') as string,
      {
        ...{ origin: ORIGIN, cosigned: '2100-01-01T00:00:00.000Z', now: '2026-09-21T14:13:20.000Z' },
      },
    ];
    for (let asked = 0; asked < 3; asked++)
      expect((await first.post(await honest.request(5, 6))).status).toBe(503);
    expect(said).toEqual([ahead]);
    await first.stop();
    const again = await startWitness('w1', { nowSeconds: () => now, log, dir: first.dir });
    expect(said).toEqual([ahead, ahead]);
    expect((await again.post(await honest.request(5, 6))).status).toBe(503);
    expect(await statusOf(again.post(await forked.request(0, 6)))).toEqual([409, '5\n']);
    expect(said).toEqual([ahead, ahead]);
    now = 4_102_444_800 - 300;
    const answer = await again.post(await honest.request(5, 6));
    expect(timeIn(await answer.text(), honest.note(6), again.cosigner)).toBe(4_102_444_800);
  });
});

describe('the one place at a witness', () => {
  const patient = {
    connections: 1,
    pipelined: Infinity,
    headersMs: 60_000,
    requestMs: 60_000,
    silentMs: 60_000,
    checkEveryMs: 50,
  };
  test.each([
    ['asks half a question', { headersMs: 2000 }, 'POST /add-checkpoint HTTP/1.1\r\nhost: w\r\n'],
    [
      'sends half a body',
      { headersMs: 2000, requestMs: 2000 },
      'POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 9\r\n\r\nold',
    ],
    ['reads no answer', { silentMs: 2000 }, 'GET / HTTP/1.1\r\nhost: w\r\n\r\n'.repeat(40_000)],
  ])('is not held by whoever %s', async (_, limits, words) => {
    const { url } = await startWitness('w1', { limits: { ...patient, ...limits } });
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket.pause(), 'connect');
    socket.write(words);
    const status = () =>
      fetch(url, { signal: AbortSignal.timeout(1000) }).then((answer) => answer.status, String);
    expect(await status()).not.toBe(200);
    await expect.poll(status).toBe(200);
  });
});

describe('the state of a witness', () => {
  test('outlives it', async () => {
    const first = await witnessAt(200);
    await first.stop();
    const second = await startWitness('w1', { dir: first.dir });
    expect(await statusOf(second.post(await forked.request(0, 300)))).toEqual([409, '200\n']);
    expect((await second.post(await forked.request(200, 300))).status).toBe(422);
    expect((await second.post(await honest.request(200, 300))).status).toBe(200);
    expect(openNote((await lookAtState(first.dir, ORIGIN)) ?? '', [logSigner]).text).toContain('\n300\n');
  });

  test('has room for one witness', async () => {
    const { dir, stop } = await witnessAt(5);
    await expect(openStateFolder(dir)).rejects.toMatchObject({ code: 'locked' });
    await stop();
    await (await openStateFolder(dir)).close();
  });

  test('that is lost, damaged or of another key is no fresh start', async () => {
    const { dir, stop } = await witnessAt(5);
    await stop();
    const open = async (name = 'w1') =>
      openWitness({
        cosigner: cosignerNamed(name),
        logs: [logSigner],
        state: await openStateFolder(dir),
        nowSeconds: () => 1,
        log: silentLog,
      });
    await expect(open('w2')).rejects.toMatchObject({ code: 'damaged' });
    const content = await readFile(stateFile(dir), 'utf8');
    for (const wrong of [
      '',
      content.slice(0, -9),
      content.replace('\n5\n', '\n4\n'),
      content.replace('state 1', 'state 2'),
    ]) {
      await writeFile(stateFile(dir), wrong);
      await expect(open()).rejects.toMatchObject({ code: 'damaged' });
    }
    await rm(stateFile(dir));
    await expect(open()).rejects.toMatchObject({ code: 'not-found' });
    await writeFile(stateFile(dir), content);
    await (await open()).close();
  });

  test('is at no moment begun in part, which a crash would leave behind', async () => {
    for (let round = 0; round < 10; round++) {
      const dir = await temporaryFolder();
      const file = stateFile(dir);
      let isOver = false;
      const begun = beginState(dir, ORIGIN).finally(() => (isOver = true));
      while (!isOver) {
        if (existsSync(file)) expect(readFileSync(file, 'utf8')).toMatch(/\n\n$/);
        await setImmediate();
      }
      expect(await begun).toBe(true);
    }
  });

  test('is begun once by many, over what a crash left beside it', async () => {
    const dir = await temporaryFolder();
    await writeFile(`${stateFile(dir)}.4194304.begin`, 'firebreak wit');
    await expect(lookAtState(dir, ORIGIN)).rejects.toMatchObject({ code: 'not-found' });
    const begun = await Promise.all([
      beginState(dir, ORIGIN),
      beginState(dir, ORIGIN),
      beginState(dir, ORIGIN),
    ]);
    expect(begun.filter((isNew) => isNew)).toHaveLength(1);
    expect(await lookAtState(dir, ORIGIN)).toBeUndefined();
    await (await openStateFolder(dir)).close();
    expect((await readdir(dir)).sort()).toEqual([basename(stateFile(dir)), 'lock'].sort());
  });

  test('is begun once', async () => {
    const { dir, stop } = await witnessAt(5);
    expect(await beginState(dir, ORIGIN)).toBe(false);
    await stop();
    expect(await lookAtState(dir, ORIGIN)).toContain('\n5\n');
    await expect(openStateFolder(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('that cannot be kept ends in 503 over HTTP, its log says why, and nothing is cosigned', async () => {
    let full = true;
    const said: unknown[] = [];
    const { post } = await startWitness('w1', {
      nowSeconds: () => 9,
      log: { ...silentLog, error: (text, facts) => void said.push([text, facts]) },
      stateOver: (state) => ({
        load: (origin) => state.load(origin),
        save: async (origin, note) => {
          if (full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
          await state.save(origin, note);
        },
        keepFork: (notes) => state.keepFork(notes),
        close: () => state.close(),
      }),
    });
    expect(await statusOf(post(await honest.request(0, 200)))).toEqual([
      503,
      'the witness cannot keep its state; its log says why\n',
    ]);
    expect(said).toEqual([['could not answer a log, nothing was cosigned', { why: 'no space left' }]]);
    full = false;
    expect((await post(await forked.request(0, 300))).status).toBe(200);
    expect(await statusOf(post(await honest.request(0, 200)))).toEqual([409, '300\n']);
  });
});
