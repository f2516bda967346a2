import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportLog } from '../../ledger/export/export-log.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { filesIn, readerOfFolder } from '../../ledger/readers/reader-folder.js';
import { verifyFolder } from '../../ledger/verify/verify-folder.js';
import { verifyLog } from '../../ledger/verify/verify.js';
import type { FirebreakError } from '../../protocol/errors.js';
import { cosign, cosignerWithKey } from '../../protocol/tlog/cosignature.js';
import { noteVerifier, readNote } from '../../protocol/tlog/note.js';
import {
  batchOf,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  signerOf,
  temporaryFolder,
  ORIGIN,
} from './deployment.js';

async function grow(ledger: Ledger, count: number): Promise<void> {
  const from = ledger.status().size;
  for (let at = from; at < from + count;) {
    const length = Math.min(from + count - at, 200);
    await ledger.submit(
      batchOf(
        officer,
        at,
        Array.from({ length }, (_, i) => noticeItem(`${at + i}`)),
      ),
    );
    at += length;
  }
}

/** A log exported at each of these sizes. */
async function exported(...sizes: readonly number[]): Promise<string> {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
  const dir = await temporaryFolder();
  for (const size of sizes) {
    await grow(ledger, size - ledger.status().size);
    await exportLog(ledger.reader(), dir, logSigner);
  }
  await ledger.close();
  return dir;
}

describe('an exported log', () => {
  test('has the checkpoint, full tiles, and the partial ones of this size', async () => {
    const dir = await exported(600);
    expect(await filesIn(dir)).toEqual([
      'checkpoint',
      'tile/0/000',
      'tile/0/001',
      'tile/0/002.p/88',
      'tile/1/000.p/2',
      'tile/entries/000',
      'tile/entries/001',
      'tile/entries/002.p/88',
    ]);
    expect((await verifyFolder(dir, logSigner)).entriesByType).toEqual(new Map([[8, 600]]));
  });

  test('of an empty ledger is a checkpoint', async () => {
    const dir = await exported(0);
    expect(await filesIn(dir)).toEqual(['checkpoint']);
    expect((await verifyFolder(dir, logSigner)).checkpoint.size).toBe(0);
  });

  test('grows by what is new, from any size to any size, and verifies each time', async () => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
    const dir = await temporaryFolder();
    for (const [size, written] of [
      [1, 2],
      [1, 0],
      [255, 2],
      [256, 3],
      [257, 2],
      [513, 5],
    ] as const) {
      await grow(ledger, size - ledger.status().size);
      expect(await exportLog(ledger.reader(), dir, logSigner)).toMatchObject({ size, written });
      expect((await verifyFolder(dir, logSigner)).checkpoint.size).toBe(size);
    }
    await ledger.close();
  });

  test('keeps the partial tiles of each exported checkpoint until the full one is there', async () => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
    const dir = await temporaryFolder();
    const kept = new Map<number, string[]>();
    for (const size of [10, 30, 300, 301, 520]) {
      await grow(ledger, size - ledger.status().size);
      await exportLog(ledger.reader(), dir, logSigner);
      expect((await verifyFolder(dir, logSigner)).checkpoint.size).toBe(size);
      kept.set(
        size,
        (await filesIn(dir)).filter((path) => path.startsWith('tile/0/')),
      );
    }
    expect([...kept]).toEqual([
      [10, ['tile/0/000.p/10']],
      [30, ['tile/0/000.p/10', 'tile/0/000.p/30']],
      [300, ['tile/0/000', 'tile/0/001.p/44']],
      [301, ['tile/0/000', 'tile/0/001.p/44', 'tile/0/001.p/45']],
      [520, ['tile/0/000', 'tile/0/001', 'tile/0/002.p/8']],
    ]);
    await ledger.close();
  });

  test('is not written over something else, nor over a log that this one does not continue', async () => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
    const other = await temporaryFolder();
    await writeFile(join(other, 'letters.txt'), 'dear');
    await expect(exportLog(ledger.reader(), other, logSigner)).rejects.toMatchObject({ code: 'exists' });

    const longer = await exported(30);
    await expect(exportLog(ledger.reader(), longer, logSigner)).rejects.toMatchObject({
      code: 'consistency',
    });
    await ledger.submit(
      batchOf(
        officer,
        99,
        Array.from({ length: 40 }, (_, i) => noticeItem(`fork ${i}`)),
      ),
    );
    await expect(exportLog(ledger.reader(), longer, logSigner)).rejects.toMatchObject({
      code: 'consistency',
    });
    expect((await verifyFolder(longer, logSigner)).checkpoint.size).toBe(30);
    await ledger.close();
  });

  test('with a cosigned checkpoint is refused when a name in it is no UTF-8', async () => {
    const dir = await exported(3);
    const file = join(dir, 'checkpoint');
    const signed = await readFile(file, 'utf8');
    const witness = cosignerWithKey('witness.example/one', signerOf('witness one'));
    const bytes = Buffer.from(signed + cosign(readNote(signed).text, witness, 1_790_000_000));
    await writeFile(file, bytes);
    expect((await verifyFolder(dir, logSigner)).checkpoint.size).toBe(3);
    bytes[bytes.indexOf(witness.name)] = 0xff;
    await writeFile(file, bytes);
    await expect(verifyFolder(dir, logSigner)).rejects.toMatchObject({
      code: 'format',
      message: expect.stringContaining('not UTF-8') as string,
    });
  });

  test('of another log is refused', async () => {
    const dir = await exported(3);
    await expect(verifyFolder(dir, noteVerifier(ORIGIN, signerOf('x').publicKey))).rejects.toMatchObject({
      code: 'signature',
    });
  });
});

describe('verifying', () => {
  test('finds every single altered bit in any file, also of earlier partial tiles', async () => {
    const dir = await exported(523, 600);
    const files = await filesIn(dir);
    expect(files).toContain('tile/entries/002.p/11');
    const flips = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(flips, fc.integer({ min: 0, max: 7 }), async ({ file, at }, bit) => {
        const path = join(dir, file);
        const original = await readFile(path);
        const altered = Buffer.from(original);
        const byte = Math.floor(at * altered.length);
        altered[byte] = (altered[byte] ?? 0) ^ (1 << bit);
        await writeFile(path, altered);
        await expect(verifyFolder(dir, logSigner), `${file} byte ${byte} bit ${bit}`).rejects.toHaveProperty(
          'code',
        );
        await writeFile(path, original);
      }),
      { numRuns: 400 },
    );
    expect((await verifyFolder(dir, logSigner)).checkpoint.size).toBe(600);
  });

  test('finds every altered bit of the checkpoint', async () => {
    const dir = await exported(5);
    const note = Buffer.from(await readerOfFolder(dir).checkpoint());
    for (let bit = 0; bit < note.length * 8; bit++) {
      const altered = Buffer.from(note);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(join(dir, 'checkpoint'), altered);
      await expect(verifyFolder(dir, logSigner), `bit ${bit}`).rejects.toHaveProperty('code');
    }
  });

  test('names the entry, tile or file that is wrong', async () => {
    const good = await exported(600);
    const wrong = async (path: string, change: (bytes: Buffer) => Buffer): Promise<string> => {
      const dir = await temporaryFolder();
      await cp(good, dir, { recursive: true });
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), change(await readFile(join(dir, path)).catch(() => Buffer.alloc(0))));
      const error = await verifyFolder(dir, logSigner).catch((caught: FirebreakError) => caught);
      return error instanceof Error ? error.message : 'nothing was found';
    };
    const flip = (at: number) => (bytes: Buffer) => {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    };
    const good0 = join(await temporaryFolder(), 'kept');
    await cp(join(good, 'tile/0/000'), good0);
    const entryLength = 2 + (await readFile(join(good, 'tile/entries/000'))).readUInt16BE(0);
    expect(await wrong('tile/entries/000', flip(entryLength + 20))).toContain('entry 1 in tile/entries/000');
    expect(await wrong('tile/0/001', flip(32 * 7 + 3))).toContain(
      'hash 7 of tile/0/001 is not that of entry 263',
    );
    expect(await wrong('tile/1/000.p/2', flip(5))).toContain('tile/1/000.p/2');
    expect(await wrong('tile/entries/002.p/88', (bytes) => Buffer.concat([bytes, Buffer.of(0)]))).toContain(
      'tile/entries/002.p/88',
    );
    expect(await wrong('tile/0/002.p/88', (bytes) => bytes.subarray(1))).toContain('tile/0/002.p/88');
    await rm(join(good, 'tile/0/000'));
    expect(await wrong('checkpoint', (bytes) => bytes)).toContain('tile/0/000 is missing');
    await cp(join(good, 'tile/0/001'), join(good, 'tile/0/000'));
    expect(await wrong('checkpoint', (bytes) => bytes)).toContain(
      'hash 0 of tile/0/000 is not that of entry 0',
    );
    await cp(good0, join(good, 'tile/0/000'));
    for (const path of ['tile/0/002.p/87', 'tile/entries/002.p/87'])
      expect(await wrong(path, () => Buffer.alloc(3))).toContain(`${path} in`);
    for (const path of ['tile/0/002.p/89', 'tile/0/003', 'tile/0/000.new', 'export.lock/LOCK', 'letters.txt'])
      expect(await wrong(path, () => Buffer.alloc(3)), path).toContain('is not part of a log of 600 entries');
  });

  test('counts the payloads that are lost, and names the entries of the first', async () => {
    const dir = await exported(150);
    const summary = await verifyLog(readerOfFolder(dir), logSigner, { payloads: true });
    expect(summary).toMatchObject({ payloads: 0, lost: 150 });
    expect(summary.withoutPayload).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(await verifyLog(readerOfFolder(dir), logSigner)).toMatchObject({ lost: 0, withoutPayload: [] });
  });
});
