import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { AdmissionContext } from '../../ledger/admission/item.js';
import { WriterDirectory } from '../../ledger/admission/writer.js';
import { startCheckThread, type CheckThread } from '../../ledger/intake/check-thread.js';
import { withCertificate, withRevocation } from '../../ledger/store/gateway-record.js';
import { openLedger } from '../../ledger/ledger.js';
import { inlineChecker } from '../../ledger/intake/checker-inline.js';
import { openThreadChecker, type ThreadChecker } from '../../ledger/intake/checker-threads.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { partyIdOf } from '../../protocol/keys.js';
import { dayOf } from '../../protocol/time.js';
import type { LogFields } from '../../protocol/log.js';
import { withFlippedBit } from '../protocol/errors-of.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  noticeItem,
  NOW_MS,
  officer,
  openReceipt,
  reportItem,
  revocationItem,
  signerOf,
  temporaryFolder,
} from './deployment.js';

const gateway = signerOf('gateway one');
const revoked = signerOf('gateway two');
const stranger = signerOf('nobody');
const today = dayOf(NOW_MS / 1000);

function directoryOf(): WriterDirectory {
  const certified = withCertificate(undefined, gateway.publicKey, { fromDay: today, toDay: today + 6 });
  const once = withCertificate(undefined, revoked.publicKey, { fromDay: today, toDay: today });
  const records = [certified, withRevocation(once, once.gatewayId, NOW_MS + 1)];
  return new WriterDirectory(ledgerDeps('').writers, records);
}

const context: AdmissionContext = {
  directory: directoryOf(),
  issuerPublicKey: issuer.publicKey,
  retentionDays: 21,
};

/** Of every kind there is, good ones and such as each rule refuses. Made once: sealing takes most of the time. */
const ITEMS: readonly BatchItem[] = [
  reportItem(gateway),
  reportItem(gateway),
  reportItem(revoked),
  { ...reportItem(gateway), timeMs: asUnixMs(NOW_MS + 3_600_000) },
  reportItem(gateway, asUnixMs(NOW_MS - 40 * 86_400_000)),
  certificateItem(stranger),
  revocationItem(gateway, NOW_MS),
  noticeItem('a'),
  { ...noticeItem('b'), type: ENTRY_TYPE.dayKey },
  { ...noticeItem('c'), type: 4711 },
  { type: ENTRY_TYPE.case, timeMs: NOW_MS, payload: new Uint8Array(256) },
  { type: ENTRY_TYPE.case, timeMs: NOW_MS, payload: new Uint8Array(0) },
];

type Checked = Awaited<ReturnType<ThreadChecker['check']>>;
const verdictOf = async (checking: Promise<Checked>): Promise<unknown> =>
  checking.catch((error: unknown) => ({ threw: error instanceof Error ? error.message : error }));

describe('batches checked on threads', () => {
  let threads: ThreadChecker;
  beforeAll(async () => void (threads = await openThreadChecker(context, 2)));
  afterAll(() => threads.close());

  test('get the verdict they get without, whatever is in them and whatever was done to them', async () => {
    const inline = inlineChecker(context);
    const items = fc.array(
      fc.nat(ITEMS.length - 1).map((i) => ITEMS[i] ?? noticeItem('none')),
      { minLength: 1, maxLength: 6 },
    );
    const writer = fc.constantFrom(gateway, revoked, officer, issuer, stranger);
    const from = fc.constantFrom(undefined, gateway, officer);
    const spoil = fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      fc.record({ bit: fc.nat(200_000) }),
      fc.record({ cut: fc.nat(2000) }),
      fc.record({ junk: fc.uint8Array({ maxLength: 60 }) }),
    );
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(writer, fc.nat(9), items, spoil, from, async (signer, seq, list, how, sender) => {
        const whole = batchOf(signer, seq, list);
        const bytes =
          how === undefined
            ? whole
            : 'bit' in how
              ? withFlippedBit(whole, how.bit % (whole.length * 8))
              : 'cut' in how
                ? whole.subarray(0, Math.max(0, whole.length - how.cut))
                : how.junk;
        const name = sender && partyIdOf(sender.publicKey);
        const [there, here] = await Promise.all([
          verdictOf(threads.check(bytes, name)),
          verdictOf(inline.check(bytes, name)),
        ]);
        expect(there).toEqual(here);
        kinds.add('refusal' in Object(here) ? 'refused' : 'items' in Object(here) ? 'checked' : 'threw');
      }),
      { numRuns: 150 },
    );
    expect([...kinds].sort()).toEqual(['checked', 'refused', 'threw']);
  });

  test('leave the bytes they came in as they were, also when these are part of more', async () => {
    const batch = batchOf(gateway, 1, [reportItem(gateway)]);
    const around = Buffer.concat([Buffer.alloc(100, 7), batch, Buffer.alloc(100, 7)]);
    const checked = await threads.check(around.subarray(100, 100 + batch.length), undefined);
    expect('items' in checked && checked.items[0]?.refusal).toBeUndefined();
    expect(Buffer.concat([Buffer.alloc(100, 7), batch, Buffer.alloc(100, 7)]).equals(around)).toBe(true);
  });

  test('are judged by what the issuer has said of their writer by then', async () => {
    const directory = directoryOf();
    const own = await openThreadChecker({ ...context, directory }, 1);
    onTestFinished(() => own.close());
    const batch = batchOf(stranger, 1, [reportItem(stranger)]);
    expect(await own.check(batch, undefined)).toMatchObject({ refusal: 'certificate' });
    const days = { fromDay: today, toDay: today };
    directory.keep(withCertificate(undefined, stranger.publicKey, days));
    expect(await own.check(batch, undefined)).toMatchObject({ items: [{ refusal: undefined }] });
  });
});

/** A checker whose threads can be ended as a defect in one would. */
async function mortalChecker(count: number) {
  const threads: CheckThread[] = [];
  const startThread: typeof startCheckThread = (settings, events) => {
    const thread = startCheckThread(settings, events);
    threads.push(thread);
    return thread;
  };
  const checker = await openThreadChecker(context, count, { startThread });
  onTestFinished(() => checker.close());
  return { checker, threads };
}

describe('a thread that dies', () => {
  const batches = Array.from({ length: 12 }, (_, seq) => batchOf(gateway, seq, [reportItem(gateway)]));

  test('is replaced, and every batch it had is checked by another', async () => {
    const { checker, threads } = await mortalChecker(2);
    const checking = batches.map((batch) => checker.check(batch, undefined));
    await threads[0]?.end();
    for (const checked of await Promise.all(checking))
      expect(checked).toMatchObject({ items: [{ refusal: undefined }] });
    expect(checker.deaths).toMatchObject({ count: 1 });
    await expect.poll(() => threads.length).toBe(3);
    expect(await checker.check(batches[0] ?? new Uint8Array(), undefined)).toHaveProperty('items');
  });

  test('again and again: the batch it died of is refused as busy, and the checker recovers', async () => {
    let isBroken = false;
    const startThread: typeof startCheckThread = (settings, events) => {
      const thread = startCheckThread(settings, events);
      return {
        ...thread,
        post: (request) => (isBroken ? void thread.end() : thread.post(request)),
      };
    };
    const checker = await openThreadChecker(context, 1, { startThread });
    onTestFinished(() => checker.close());
    isBroken = true;
    const [first, second] = await Promise.all(
      batches.slice(0, 2).map((batch) => checker.check(batch, undefined)),
    );
    expect(first).toMatchObject({ refusal: 'busy', itemCount: 1 });
    expect(second).toMatchObject({ refusal: 'busy', itemCount: 1 });
    isBroken = false;
    const again = () => checker.check(batches[0] ?? new Uint8Array(), undefined);
    await expect.poll(again, { interval: 100 }).toHaveProperty('items');
  });

  test('or takes too long is ended; a checker whose threads do not start is not opened, and says why', async () => {
    const opening = openThreadChecker(context, 1, {
      startThread: (settings, events) => startCheckThread(settings, events, 1),
    });
    await expect(opening).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('it took longer than 0.001 s') as string,
    });
  });

  test('is replaced once the machine has room for a thread again', async () => {
    let refusalsLeft = 0;
    const threads: CheckThread[] = [];
    const startThread: typeof startCheckThread = (settings, events) => {
      if (refusalsLeft > 0) {
        refusalsLeft -= 1;
        throw new Error('no room for a thread'); // as a Worker says it: EAGAIN
      }
      const thread = startCheckThread(settings, events);
      threads.push(thread);
      return thread;
    };
    const checker = await openThreadChecker(context, 2, { startThread });
    onTestFinished(() => checker.close());
    refusalsLeft = 3;
    await Promise.all(threads.map((thread) => thread.end()));
    await expect.poll(() => threads.length, { timeout: 20_000 }).toBe(4);
    expect(checker.deaths).toEqual({ count: 2 + 3, last: 'no room for a thread' });
    const again = () => checker.check(batches[0] ?? new Uint8Array(), undefined);
    await expect.poll(again, { interval: 100 }).toHaveProperty('items');
  });

  test('of each that is, the log tells once that nothing is checked, why, and that it goes on', async () => {
    let isBroken = false;
    const startThread: typeof startCheckThread = (settings, events) => {
      if (isBroken) throw new Error('no room for a thread');
      const thread = startCheckThread(settings, events);
      return { ...thread, post: (request) => (isBroken ? void thread.end() : thread.post(request)) };
    };
    const lines: string[] = [];
    const say = (level: string) => (message: string, fields?: LogFields) =>
      void lines.push([level, message, ...(fields ? [fields['why']] : [])].join(' '));
    const log = { info: say('info'), warn: say('warn'), error: say('error') };
    const checker = await openThreadChecker(context, 1, { startThread, log });
    onTestFinished(() => checker.close());
    expect(checker.failure).toBeUndefined();
    isBroken = true;
    const check = () => checker.check(batches[0] ?? new Uint8Array(), undefined);
    for (let n = 0; n < 3; n++) expect(await check()).toMatchObject({ refusal: 'busy' });
    expect(checker.failure).toBe('no room for a thread');
    isBroken = false;
    await expect.poll(check, { interval: 100 }).toHaveProperty('items');
    expect(checker.failure).toBeUndefined();
    expect(lines).toEqual([
      expect.stringMatching(/^warn a thread that checks batches died /),
      'warn a thread that checks batches died no room for a thread',
      expect.stringMatching(/^error .* refused as busy no room for a thread$/),
      'info batches are checked again',
    ]);
  });

  test('or cannot be made is said so by a checker that is not opened', async () => {
    const opening = openThreadChecker(context, 1, {
      startThread: () => {
        throw new Error('no room for a thread');
      },
    });
    await expect(opening).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('no room for a thread') as string,
    });
  });

  test('or cannot be made is why a checker is not opened, also when another cannot be ended', async () => {
    const threads: CheckThread[] = [];
    const startThread: typeof startCheckThread = (settings, events) => {
      if (threads.length > 0) throw new Error('no room for a thread');
      const thread = startCheckThread(settings, events);
      threads.push(thread);
      return { ...thread, end: () => Promise.reject(new Error('it does not end')) };
    };
    await expect(openThreadChecker(context, 2, { startThread })).rejects.toThrow('no room for a thread');
    await Promise.all(threads.map((thread) => thread.end()));
  });

  test('leaves no batch waiting when the checker is closed', async () => {
    const { checker } = await mortalChecker(1);
    const outcomes = batches.map((batch) =>
      checker.check(batch, undefined).then(
        () => 'checked',
        (error: { code: string }) => error.code,
      ),
    );
    await checker.close();
    const ends = await Promise.all(outcomes);
    expect(ends.every((end) => end === 'checked' || end === 'closed')).toBe(true);
    await expect(checker.check(batches[0] ?? new Uint8Array(), undefined)).rejects.toMatchObject({
      code: 'closed',
    });
  });
});

test('a ledger with threads takes, refuses and answers as one without', async () => {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder(), { checkThreads: 2 }));
  onTestFinished(() => ledger.close());
  const answer = async (batch: Uint8Array) => openReceipt(await ledger.submit(batch), batch).outcomes;
  const early = batchOf(gateway, 1, [reportItem(gateway)]);
  expect(await answer(early)).toMatchObject([{ index: null }]);
  expect(await answer(batchOf(issuer, 1, [certificateItem(gateway)]))).toEqual([{ reason: 0, index: 0 }]);
  expect(await answer(early)).toEqual([{ reason: 0, index: 1 }]);
  const many = Array.from({ length: 10 }, (_, i) => batchOf(gateway, 2 + i, [reportItem(gateway)]));
  const answers = await Promise.all(many.map(answer));
  expect(answers.flat().map(({ index }) => index)).toEqual(many.map((_, i) => 2 + i));
  const forged = withFlippedBit(early, early.length * 8 - 1);
  expect(await answer(forged)).toMatchObject([{ index: null }]);
  expect([...ledger.status().refusedBatches.values()]).toEqual([1, 1]);
  expect(ledger.status().checkFailure).toBeUndefined();
});
