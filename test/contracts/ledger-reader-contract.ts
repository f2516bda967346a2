/** What every LedgerReader does (protocol/tlog/ledger-reader.ts), run over each implementation. */
import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { bytesOf, type LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { entriesOf } from '../../protocol/tlog/tile.js';

export interface ReaderUnderTest {
  readonly reader: LedgerReader;
  /** Of a log of 300 entries. */
  readonly verifier: NoteVerifier;
  /** A payload the log holds. */
  readonly payload: Uint8Array;
}

export function testLedgerReader(name: string, open: () => Promise<ReaderUnderTest>): void {
  describe(name, () => {
    test('gives the latest signed checkpoint', async () => {
      const { reader, verifier } = await open();
      expect(openCheckpoint(await reader.checkpoint(), verifier).size).toBe(300);
    });

    test('gives bundles and tiles that belong together, full and partial', async () => {
      const { reader } = await open();
      for (const [index, width] of [
        [0, 256],
        [0, 255],
        [0, 1],
        [1, 44],
        [1, 43],
      ] as const) {
        const entries = entriesOf(await reader.entryBundle(index, width), width);
        expect(Buffer.from(await reader.tile(0, index, width))).toEqual(
          Buffer.from(concat(...entries.map(leafHash))),
        );
      }
      expect(await reader.tile(1, 0, 1)).toHaveLength(32);
    });

    test.each([
      [0, 1, 45],
      [0, 2, 1],
      [0, 1, 256],
      [1, 0, 2],
      [2, 0, 1],
    ] as const)('has no tile %i/%i of width %i beyond the log', async (level, index, width) => {
      const { reader } = await open();
      await expect(reader.tile(level, index, width)).rejects.toMatchObject({ code: 'not-found' });
      if (level === 0)
        await expect(reader.entryBundle(index, width)).rejects.toMatchObject({ code: 'not-found' });
    });

    test('gives payloads by hash, in order, and undefined for one it does not hold', async () => {
      const { reader, payload } = await open();
      const unknown = new Uint8Array(32);
      const found = await reader.payloads([unknown, sha256(payload), unknown, sha256(payload)]);
      expect(found.map((one) => one && Buffer.from(bytesOf(one) ?? []))).toEqual([
        undefined,
        Buffer.from(payload),
        undefined,
        Buffer.from(payload),
      ]);
      expect(await reader.payloads([])).toEqual([]);
    });

    test('refuses more than 256 payloads in one call', async () => {
      const { reader, payload } = await open();
      const hashes = Array.from({ length: 257 }, () => sha256(payload));
      await expect(reader.payloads(hashes)).rejects.toMatchObject({ code: 'size' });
      expect(await reader.payloads(hashes.slice(1))).toHaveLength(256);
    });

    test('hands out copies: changing what it gave changes nothing', async () => {
      const { reader, payload } = await open();
      const [first] = await reader.payloads([sha256(payload)]);
      bytesOf(first)?.fill(0);
      (await reader.tile(0, 0, 256)).fill(0);
      const [second] = await reader.payloads([sha256(payload)]);
      expect(Buffer.from(bytesOf(second) ?? [])).toEqual(Buffer.from(payload));
      expect((await reader.tile(0, 0, 256)).some((byte) => byte !== 0)).toBe(true);
    });

    test('answers nothing once it is closed', async () => {
      const { reader } = await open();
      await reader.close();
      await expect(reader.checkpoint()).rejects.toMatchObject({ code: 'closed' });
    });
  });
}
