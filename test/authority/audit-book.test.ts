import { describe, expect, it } from 'vitest';
import { AccessRows } from '../../authority/looks/access-rows.js';
import { LoggedWords } from '../../authority/records/own-words.js';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { partyIdOf } from '../../protocol/keys.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import { signNotice } from '../../protocol/tag/notice.js';
import { encodeNoticePayload } from '../../protocol/payload/notice.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { MemoryLog } from '../tracer/memory-log.js';
import { auditKey, bookOn, logged, lookAt, tracerId } from './audited.js';
import { issuer, secretOf, TODAY } from './fixture.js';

const at = (book: ReturnType<typeof bookOn>, tag: number) => book.looksAt(asTagNumber(tag));

const leafOf = (log: MemoryLog, index: number) =>
  new Uint8Array(leafHash(log.entries[index] ?? new Uint8Array()));

const hashOf = (payload: Uint8Array): string => toHex(sha256(payload));

/** Payloads of these hashes are damaged. */
function readerDamaged(log: MemoryLog, damaged: ReadonlySet<string>): LedgerReader {
  const reader = log.reader();
  const payloads: LedgerReader['payloads'] = async (hashes) => {
    if (!hashes.some((hash) => damaged.has(toHex(hash)))) return reader.payloads(hashes);
    throw new FirebreakError('damaged-payload', 'one of them is not the one that was logged');
  };
  return { ...reader, payloads };
}

function noting(said: unknown[]): Log {
  const note = (...words: unknown[]): void => void said.push(words);
  return { info: note, warn: note, error: note };
}

describe('the audit book', () => {
  it('shows a tag the looks it was in, with its role, and no other look', async () => {
    const log = new MemoryLog().fill(300);
    const [first = -1] = logged(log, lookAt([7], [3, 12, 900]));
    log.fill(3, 1);
    const [second = -1] = logged(log, lookAt([3, 4], [5], { officer: 'Dr. Bo', question: 'cluster' }));
    logged(log, lookAt([8], []));
    const book = bookOn(log);
    const { looks, note, unreadCount } = await at(book, 3);
    expect(looks).toEqual([
      {
        role: 'reached',
        whole: 'yes',
        writtenAtMs: 5_000,
        appendedAtMs: log.nowMs,
        entries: [{ index: first, leaf: leafOf(log, first) }],
        asked: {
          officer: 'Dr. Ada',
          purpose: 'measles, ward 4',
          question: 'forward',
          hops: 3,
          from: 1_700_000_000,
          to: 1_700_600_000,
          minSeconds: 900,
          latentSeconds: 172_800,
          infectiousSeconds: null,
          attenuation: 'near',
          presence: false,
        },
      },
      expect.objectContaining({
        role: 'case',
        entries: [{ index: second, leaf: leafOf(log, second) }],
        asked: expect.objectContaining({ officer: 'Dr. Bo' }) as unknown,
      }),
    ]);
    expect(note).toBe(log.checkpoint());
    expect(unreadCount).toBe(0);
    expect((await at(book, 6)).looks).toEqual([]);
    expect((await at(book, 8)).looks).toMatchObject([{ role: 'case' }]);
  });

  it.each([undefined, 0, 100_000])(
    'finds a tag in any part of a long look, holding %s bytes',
    async (keepBytes) => {
      const log = new MemoryLog();
      const tags = Array.from({ length: 150_000 }, (_, k) => 2 * k);
      const indexes = logged(log, lookAt([7], tags));
      expect(indexes).toHaveLength(4);
      const book = bookOn(log, keepBytes === undefined ? {} : { keepBytes });
      const entriesOf = async (tag: number) =>
        (await at(book, tag)).looks.map(({ entries }) => entries.map(({ index }) => index));
      expect(await entriesOf(0)).toEqual([[0]]);
      expect(await entriesOf(2 * 70_000)).toEqual([[0, 1]]);
      expect(await entriesOf(2 * 149_999)).toEqual([[0, 2]]);
      expect(await entriesOf(7)).toEqual([[0]]);
      expect(await entriesOf(2 * 70_000 + 1)).toEqual([]);
    },
  );

  it('says of a look that is not all in the log that it was not answered', async () => {
    const log = new MemoryLog();
    const [first, second, ...rest] = lookAt(
      [7],
      Array.from({ length: 150_000 }, (_, k) => 2 * k),
    );
    if (first === undefined || second === undefined) throw new Error('a look in one part');
    logged(log, [first, second]);
    const book = bookOn(log);
    expect((await at(book, 2)).looks).toMatchObject([{ whole: 'no', entries: [{ index: 0 }] }]);
    logged(log, rest);
    expect((await at(book, 2)).looks).toMatchObject([{ whole: 'yes' }]);
  });

  it('cannot tell whether a look was answered while entries of its writer that cannot be read may be of it', async () => {
    const log = new MemoryLog();
    const parts = lookAt(
      [7],
      Array.from({ length: 150_000 }, (_, k) => 2 * k),
    );
    const [, second = new Uint8Array(), third = new Uint8Array()] = parts;
    expect(logged(log, parts)).toHaveLength(4);
    log.prune(third);
    expect((await at(bookOn(log), 2)).looks).toMatchObject([{ whole: 'unknown' }]);
    log.pruneBy(second, { day: 3, prunedAtMs: asUnixMs(9), prunedBy: 4 });
    expect((await at(bookOn(log), 2)).looks).toMatchObject([{ whole: 'unknown' }]);

    const other = new MemoryLog();
    logged(other, parts.slice(0, 2));
    logged(other, [new Uint8Array(9)]);
    logged(other, [new Uint8Array(9)], secretOf('another').slice(0, 16));
    expect((await at(bookOn(other), 2)).looks).toMatchObject([{ whole: 'no' }]);
    logged(other, [new Uint8Array(9)]);
    expect((await at(bookOn(other), 2)).looks).toMatchObject([{ whole: 'unknown' }]);
  });

  it('counts a part once that is in the log twice, and keeps looks of two writers apart', async () => {
    const log = new MemoryLog();
    const payloads = lookAt([7], [2]);
    logged(log, payloads);
    logged(log, payloads);
    expect((await at(bookOn(log), 2)).looks).toHaveLength(1);
    logged(log, payloads, secretOf('another').slice(0, 16));
    expect((await at(bookOn(log), 2)).looks).toHaveLength(2);
  });

  it('shows who looked later, and reads no entry again for it', async () => {
    const log = new MemoryLog().fill(600);
    logged(log, lookAt([7], [2]));
    const book = bookOn(log);
    expect((await at(book, 2)).looks).toHaveLength(1);
    log.calls.length = 0;
    logged(log, lookAt([7], [2, 3]));
    expect((await at(book, 2)).looks).toHaveLength(2);
    expect(log.calls).toEqual(['checkpoint', 'entryBundle', 'payloads']);
    expect((await at(bookOn(log), 2)).looks).toHaveLength(2); // after a start
  });

  it('names entries that nobody can be shown, with the reason', async () => {
    const log = new MemoryLog();
    const [pruned, lost, foreign, garbage, good] = [1, 2, 3, 4, 5].map(() => lookAt([7], [2]));
    logged(
      log,
      [pruned, lost].flatMap((payloads) => payloads ?? []),
    );
    const other = x25519KeyPair(secretOf('other'));
    expect(other.publicKey).not.toEqual(auditKey.publicKey);
    logged(log, [
      (foreign?.[0] ?? new Uint8Array()).map((byte, k) => (k === 30 ? byte ^ 1 : byte)),
      new Uint8Array(9),
    ]);
    logged(log, good ?? []);
    log.pruneBy(pruned?.[0] ?? new Uint8Array(), { day: 3, prunedAtMs: asUnixMs(9), prunedBy: 4 });
    log.prune(lost?.[0] ?? new Uint8Array());
    expect(garbage).toHaveLength(1);
    const { looks, unread, unreadCount } = await at(bookOn(log), 2);
    expect(looks).toMatchObject([{ entries: [{ index: 4 }] }]);
    expect(unread.map(({ index, why }) => [index, why])).toEqual([
      [0, 'pruned'],
      [1, 'missing'],
      [2, 'unreadable'],
      [3, 'unreadable'],
    ]);
    expect(unreadCount).toBe(4);
  });

  it.each([undefined, 0])(
    'answers past payloads that the ledger holds damaged, and says each once to the log, holding %s bytes',
    async (keepBytes) => {
      const log = new MemoryLog();
      const looks = Array.from({ length: 40 }, () => lookAt([7], [2]));
      logged(log, looks.flat());
      const damaged = new Set([13, 14, 39].flatMap((k) => (looks[k] ?? []).map(hashOf)));
      const [said, reader] = [[] as unknown[], readerDamaged(log, damaged)];
      const book = bookOn(log, { reader, log: noting(said), ...(keepBytes === 0 && { keepBytes }) });
      await book.catchUp();
      for (const tag of [2, 2]) {
        const { looks: found, unread, unreadCount } = await at(book, tag);
        expect(found).toHaveLength(37);
        expect(unread).toMatchObject([13, 14, 39].map((index) => ({ index, why: 'missing' })));
        expect(unreadCount).toBe(3);
      }
      const words =
        /^payloads of looks are damaged in the ledger and count as missing.* ledger fsck --data-dir DIR$/;
      expect(said).toEqual([
        [expect.stringMatching(words), { count: 2, firstEntry: 13 }],
        [expect.stringMatching(words), { count: 1, firstEntry: 39 }],
      ]);
      damaged.clear(); // the folder was put back
      expect((await at(book, 2)).looks).toHaveLength(40);
    },
  );

  it('answers past a damaged payload of the authority’s own, and has not read those words whole until it is mended', async () => {
    const log = new MemoryLog();
    const source = partyIdOf(issuer.publicKey);
    const notices = [1, 2, 3].map((number) =>
      encodeNoticePayload({
        salt: new Uint8Array(16).fill(number),
        notice: signNotice(
          issuer,
          { number, day: TODAY, code: 1, tokens: [] },
          (length) => new Uint8Array(length),
        ),
      }),
    );
    for (const payload of notices) log.append({ type: ENTRY_TYPE.notices, payload, source });
    logged(log, lookAt([7], [2]));
    const damaged = new Set(notices.slice(1, 2).map(hashOf));
    const own = new LoggedWords(issuer.publicKey);
    const said: unknown[] = [];
    const book = bookOn(log, { reader: readerDamaged(log, damaged), own, log: noting(said) });
    for (const tag of [2, 2]) {
      expect((await at(book, tag)).looks).toHaveLength(1);
      expect(own.words()).toBeUndefined();
    }
    expect(said).toEqual([
      [expect.stringMatching(/that the authority wrote are damaged.* fsck/), { count: 1, firstEntry: 1 }],
    ]);
    damaged.clear();
    await book.catchUp();
    expect(own.words()).toMatchObject({ lastNotice: 3 });
    expect(own.words()?.notices).toHaveLength(3);
  });

  it('does not take a payload that is not the one of its entry', async () => {
    const log = new MemoryLog();
    const [mine = new Uint8Array()] = lookAt([7], [2]);
    const [theirs = new Uint8Array()] = lookAt([7], [3]);
    logged(log, [mine]);
    const reader = { ...log.reader(), payloads: async () => [theirs] };
    const { looks, unread } = await at(bookOn(log, { reader }), 3);
    expect([looks, unread]).toMatchObject([[], [{ index: 0, why: 'missing' }]]);
  });

  it('lists the newest of many entries that cannot be read, and counts all', async () => {
    const log = new MemoryLog();
    logged(
      log,
      Array.from({ length: 70 }, (_, k) => Uint8Array.of(k)),
    );
    const { unread, unreadCount } = await at(bookOn(log), 2);
    expect([unread.length, unread[0]?.index, unread.at(-1)?.index, unreadCount]).toEqual([64, 6, 69, 70]);
  });

  it('is refused by a log that was rolled back, forked or broken, and goes on when the trouble is over', async () => {
    const log = new MemoryLog();
    logged(log, lookAt([7], [2]));
    logged(log, lookAt([7], [2]));
    const book = bookOn(log);
    await book.catchUp();
    const last = log.entries.pop() ?? new Uint8Array();
    await expect(at(book, 2)).rejects.toMatchObject({ code: 'consistency' });
    logged(log, lookAt([8], [3]));
    log.fill(1);
    await expect(at(book, 2)).rejects.toMatchObject({
      code: expect.stringMatching(/chain|consistency/) as string,
    });
    log.entries.splice(1, 2, last);
    expect((await at(book, 2)).looks).toHaveLength(2);
    log.failing = { call: 'payloads', error: new Error('away') };
    logged(log, lookAt([7], [2]));
    await expect(at(book, 2)).rejects.toThrow('away');
    expect((await at(book, 2)).looks).toHaveLength(3);
  });

  it('comes through a long log at a ledger that fails again and again, and reads no page twice', async () => {
    const log = new MemoryLog().fill(2_000);
    logged(log, lookAt([7], [2]));
    let calls = 0;
    const reader = log.reader();
    const flaky: LedgerReader = {
      ...reader,
      entryBundle: async (index, width) => {
        if (++calls % 3 === 0) throw new Error('away');
        return reader.entryBundle(index, width);
      },
    };
    const book = bookOn(log, { reader: flaky });
    let tries = 1;
    for (; tries < 10 && (await at(book, 2).catch(() => undefined)) === undefined; tries += 1);
    expect((await at(book, 2)).looks).toHaveLength(1);
    expect(tries).toBe(4);
    expect(calls).toBe(8 + 3);
  });

  it('does not build on pages that were read before a failure and that no checkpoint confirms', async () => {
    const log = new MemoryLog().fill(300);
    logged(log, lookAt([7], [2]));
    const forked = new MemoryLog().fill(300, 1);
    let pages = 0;
    const reader: LedgerReader = {
      ...log.reader(),
      entryBundle: async (index, width) => {
        if (++pages === 2) throw new Error('away');
        return (pages === 1 ? forked : log).reader().entryBundle(index, width);
      },
    };
    const book = bookOn(log, { reader });
    await expect(book.catchUp()).rejects.toThrow('away');
    await expect(book.catchUp()).rejects.toMatchObject({ code: 'chain' });
    expect((await at(book, 2)).looks).toHaveLength(1);
  });

  it('stops when it is told to', async () => {
    const log = new MemoryLog().fill(2);
    await expect(bookOn(log).catchUp(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

describe('packed rows', () => {
  it('come back as they were, however many', () => {
    const rows = new AccessRows();
    const rowOf = (k: number) => ({
      index: 2 ** 40 + k,
      leaf: secretOf(`leaf ${k}`),
      source: tracerId,
      payloadSha256: secretOf(`hash ${k}`),
      writtenAtMs: asUnixMs(1_790_000_000_123 + k),
      appendedAtMs: asUnixMs(1_790_000_000_456 + k),
    });
    for (let k = 0; k < 100; k += 1) rows.push(rowOf(k));
    expect(rows.length).toBe(100);
    for (let k = 0; k < 100; k += 1) expect(rows.at(k)).toEqual(rowOf(k));
  });
});
