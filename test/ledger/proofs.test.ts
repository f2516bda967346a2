import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { checkProof } from '../../ledger/proofs/check-proof.js';
import { exportLog } from '../../ledger/export/export-log.js';
import { findPayload } from '../../ledger/readers/find-payload.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { openLogView } from '../../ledger/readers/log-view.js';
import { proveGrowth } from '../../ledger/proofs/prove-growth.js';
import { proveEntry, provePayload } from '../../ledger/proofs/prove.js';
import { readerOfFolder } from '../../ledger/readers/reader-folder.js';
import { asTreeSize } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { parseCheckpoint, signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { noteVerifier, openNote, parseVerifierKey } from '../../protocol/tlog/note.js';
import { decodeTlogProof, encodeTlogProof } from '../../protocol/tlog/tlog-proof.js';
import { codeOf, withFlippedBit } from '../protocol/errors-of.js';
import {
  batchOf,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  ORIGIN,
  signerOf,
  temporaryFolder,
} from './deployment.js';

const SIZE = 600;
/** Sizes of which the checkpoint was saved while the log grew to 600. */
const SAVED = [0, 1, 2, 200, 255, 256, 257, 400, 512, SIZE];

async function grow(ledger: Ledger, size: number): Promise<void> {
  for (let at = ledger.status().size; at < size;) {
    const from = at;
    const items = Array.from({ length: Math.min(size - at, 200) }, (_, i) => noticeItem(`${from + i}`));
    await ledger.submit(batchOf(officer, at, items));
    at += items.length;
  }
}

/** The same log in each test: it is only read. */
const notes = new Map<number, string>();
let reader: LedgerReader;
const noteAt = (size: number): string => notes.get(size) ?? '';
const payloadHashOf = (entry: number) => sha256(noticeItem(`${entry}`).payload);

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-proofs-'));
  const ledger = await openLedger(ledgerDeps(dir));
  for (const size of SAVED) {
    await grow(ledger, size);
    notes.set(size, await ledger.reader().checkpoint());
  }
  reader = ledger.reader();
  return async () => {
    await ledger.close();
    await rm(dir, { recursive: true, force: true });
  };
});

/** The reader with one answer altered. */
const altered = (changes: Partial<LedgerReader>): LedgerReader => ({
  checkpoint: () => reader.checkpoint(),
  tile: (...args) => reader.tile(...args),
  entryBundle: (...args) => reader.entryBundle(...args),
  payloads: (hashes) => reader.payloads(hashes),
  close: async () => {},
  ...changes,
});

describe('a proof of an entry', () => {
  test('checks with the log’s key alone, under the latest checkpoint and under every saved one', async () => {
    for (const size of SAVED) {
      const view = await openLogView(reader, logSigner, noteAt(size));
      for (const index of [0, 1, 199, 254, 255, 256, 400, 511, size - 1].filter(
        (at) => at >= 0 && at < size,
      )) {
        const { file } = await proveEntry(view, logSigner, index);
        const checked = checkProof(Buffer.from(file), noteVerifier(ORIGIN, logSigner.publicKey));
        expect(checked).toMatchObject({ index, checkpoint: { size }, unverifiedNames: [] });
        expect(Buffer.from(checked.entry?.payloadSha256 ?? [])).toEqual(Buffer.from(payloadHashOf(index)));
        expect(decodeTlogProof(file).checkpoint).toBe(noteAt(size));
      }
    }
  });

  test('is made from an exported folder too, where tiles of earlier widths are gone', async () => {
    const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
    onTestFinished(() => ledger.close());
    const dir = await temporaryFolder();
    await grow(ledger, 300);
    await exportLog(ledger.reader(), dir, logSigner);
    const saved = await ledger.reader().checkpoint();
    await grow(ledger, 520);
    await exportLog(ledger.reader(), dir, logSigner);
    const view = await openLogView(readerOfFolder(dir), logSigner, saved);
    const { checked } = await proveEntry(view, logSigner, 299);
    expect(checked.checkpoint.size).toBe(300);
  });

  test('is not made for an entry beyond the checkpoint', async () => {
    const view = await openLogView(reader, logSigner, noteAt(200));
    await expect(proveEntry(view, logSigner, 200)).rejects.toThrow(/covers the entries 0 to 199/);
    const empty = await openLogView(reader, logSigner, noteAt(0));
    await expect(proveEntry(empty, logSigner, 0)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is not made from a tile or an entry that was altered', async () => {
    const tile: LedgerReader['tile'] = async (...args) => withFlippedBit(await reader.tile(...args), 77);
    const entryBundle: LedgerReader['entryBundle'] = async (...args) =>
      withFlippedBit(await reader.entryBundle(...args), 8 * 40);
    for (const changes of [{ tile }, { entryBundle }]) {
      const view = await openLogView(altered(changes), logSigner);
      await expect(proveEntry(view, logSigner, 0)).rejects.toMatchObject({ code: 'damaged' });
    }
    const cut: LedgerReader['entryBundle'] = async (...args) => (await reader.entryBundle(...args)).slice(1);
    const view = await openLogView(altered({ entryBundle: cut }), logSigner);
    await expect(proveEntry(view, logSigner, 0)).rejects.toThrow(/tile\/entries\/000 does not hold 256/);
  });

  test('is found by the hash of the payload', async () => {
    const view = await openLogView(reader, logSigner);
    for (const index of [0, 255, 256, 599]) {
      expect((await provePayload(view, logSigner, payloadHashOf(index))).checked.index).toBe(index);
    }
  });

  test('is not found for a payload that is not there, or only came after the checkpoint', async () => {
    const seen: number[] = [];
    const onProgress = (done: number) => void seen.push(done);
    const view = await openLogView(reader, logSigner);
    await expect(provePayload(view, logSigner, new Uint8Array(32), { onProgress })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(seen).toEqual([SIZE]);
    const before = await openLogView(reader, logSigner, noteAt(257));
    expect(await findPayload(before, payloadHashOf(256))).toBe(256);
    expect(await findPayload(before, payloadHashOf(257))).toBeUndefined();
  });

  test('by payload ends when it is told to', async () => {
    const view = await openLogView(reader, logSigner);
    await expect(
      provePayload(view, logSigner, new Uint8Array(32), { signal: AbortSignal.abort() }),
    ).rejects.toThrow(/abort/);
  });

  test('that there is none is not said by a ledger that leaves out or alters an entry', async () => {
    const entryBundle: LedgerReader['entryBundle'] = async (index, width) => {
      const bundle = await reader.entryBundle(index, width);
      return index === 2 ? withFlippedBit(bundle, bundle.length * 8 - 8 * 50) : bundle;
    };
    const view = await openLogView(altered({ entryBundle }), logSigner);
    expect(await findPayload(view, payloadHashOf(300))).toBe(300);
    await expect(findPayload(view, new Uint8Array(32))).rejects.toMatchObject({ code: 'consistency' });
  });
});

describe('checking a proof', () => {
  const proofOf = async (index: number): Promise<string> =>
    (await proveEntry(await openLogView(reader, logSigner), logSigner, index)).file;

  test('refuses every single altered bit', async () => {
    const file = Buffer.from(await proofOf(300));
    for (let bit = 0; bit < file.length * 8; bit++) {
      const code = codeOf(() => checkProof(withFlippedBit(file, bit), logSigner));
      if (code === undefined) expect.fail(`bit ${bit} of byte ${bit >> 3}`);
    }
  });

  test('refuses bytes cut out or doubled', async () => {
    const file = await proofOf(300);
    const at = fc.nat({ max: file.length - 1 });
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 100 }), (from, count) => {
        const to = Math.min(from + count, file.length);
        for (const mangled of [
          file.slice(0, from) + file.slice(to),
          file.slice(0, to) + file.slice(from, to) + file.slice(to),
        ]) {
          expect(codeOf(() => checkProof(mangled, logSigner))).toBeDefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  test('takes the entry or its leaf hash from elsewhere, which must be the one the file carries', async () => {
    const proof = decodeTlogProof(await proofOf(5));
    const entry = proof.extra ?? new Uint8Array();
    const bare = encodeTlogProof({ ...proof, extra: undefined });
    const other = decodeTlogProof(await proofOf(6)).extra ?? new Uint8Array();
    expect(checkProof(bare, logSigner, { entry }).entry?.type).toBe(8);
    expect(checkProof(bare, logSigner, { leaf: leafHash(entry) }).entry).toBeUndefined();
    expect(checkProof(encodeTlogProof(proof), logSigner, { leaf: leafHash(entry) }).entry?.type).toBe(8);
    expect(codeOf(() => checkProof(bare, logSigner))).toBe('input');
    for (const file of [bare, encodeTlogProof(proof)]) {
      expect(codeOf(() => checkProof(file, logSigner, { entry: other }))).toBe('proof');
      expect(codeOf(() => checkProof(file, logSigner, { leaf: leafHash(other) }))).toBe('proof');
      expect(codeOf(() => checkProof(file, logSigner, { entry: new Uint8Array(70_000) }))).toBe('format');
    }
    const forged = encodeTlogProof({ ...proof, extra: other });
    expect(codeOf(() => checkProof(forged, logSigner))).toBe('proof');
  });

  test('refuses a proof of another log, and one whose checkpoint another key signed', async () => {
    const file = await proofOf(5);
    expect(codeOf(() => checkProof(file, noteVerifier(ORIGIN, signerOf('x').publicKey)))).toBe('signature');
    expect(codeOf(() => checkProof(file, noteVerifier('else.where', logSigner.publicKey)))).toBe('signature');
  });

  test('names signatures that it cannot check', async () => {
    const file = `${await proofOf(5)}— witness.example ${Buffer.alloc(76, 1).toString('base64')}\n`;
    expect(checkProof(file, logSigner).unverifiedNames).toEqual(['witness.example']);
  });
});

describe('consistency', () => {
  test('is proved between any two saved checkpoints, and to the latest', async () => {
    for (const newer of SAVED) {
      const view = await openLogView(reader, logSigner, newer === SIZE ? undefined : noteAt(newer));
      for (const older of SAVED.filter((size) => size <= newer)) {
        const grown = await proveGrowth(view, logSigner, noteAt(older));
        expect([grown.older.size, grown.newer.size]).toEqual([older, newer]);
      }
    }
  });

  test('is refused for a checkpoint that the log signed and does not continue', async () => {
    const view = await openLogView(reader, logSigner);
    const fork = (size: number) =>
      signCheckpoint(
        { origin: ORIGIN, size: asTreeSize(size), root: sha256(Buffer.of(size & 255)) },
        logSigner,
      );
    await expect(proveGrowth(view, logSigner, fork(SIZE))).rejects.toThrow(
      /two different roots for 600 entries/,
    );
    for (const size of [1, 255, 256, 599]) {
      await expect(proveGrowth(view, logSigner, fork(size))).rejects.toMatchObject({ code: 'consistency' });
    }
    const forked = await openLogView(reader, logSigner, fork(599));
    await expect(proveEntry(forked, logSigner, 0)).rejects.toThrow(/or the log was rewritten or forked/);
    await expect(proveGrowth(view, logSigner, fork(SIZE + 1))).rejects.toThrow(/600 entries now.*says 601/);
    await expect(openLogView(reader, logSigner, fork(SIZE + 1))).rejects.toMatchObject({
      code: 'consistency',
    });
  });

  test('names checkpoints given the wrong way round, and one that is not of this log', async () => {
    const view = await openLogView(reader, logSigner, noteAt(200));
    await expect(proveGrowth(view, logSigner, noteAt(256))).rejects.toMatchObject({ code: 'input' });
    const foreign = signCheckpoint(parseCheckpoint(openNote(noteAt(200), [logSigner]).text), {
      ...logSigner,
      sign: (message) => signerOf('x').sign(message),
    });
    await expect(proveGrowth(view, logSigner, foreign)).rejects.toMatchObject({ code: 'signature' });
    await expect(proveGrowth(view, logSigner, 'hello')).rejects.toMatchObject({ code: 'format' });
  });
});

test('a checkpoint file that is none is refused before anything is read', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, 'checkpoint'), 'nonsense');
  await expect(openLogView(readerOfFolder(dir), logSigner)).rejects.toMatchObject({ code: 'format' });
});

test('the worked example of docs/ledger-proofs.md checks', async () => {
  const doc = await readFile(new URL('../../docs/ledger-proofs.md', import.meta.url), 'utf8');
  const block = /\$ cat 5\.tlog-proof\n([^]*?)\n\nThe leaf hash by hand/.exec(doc)?.[1] ?? '';
  const file = `${block.replaceAll(/^ {4}/gm, '')}\n`;
  const vkey = /--vkey (ledger\.example\S+)/.exec(doc)?.[1] ?? '';
  const { index, leaf, checkpoint } = checkProof(file, parseVerifierKey(vkey));
  expect([index, checkpoint.size]).toEqual([5, 7]);
  expect(doc).toContain(`${toHex(leaf)}  -`);
});
