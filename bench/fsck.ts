/**
 * How sure and how fast fsck is: single bits flipped all over a stopped ledger's files with every kind of entry and tables at
 * three levels, and a large ledger checked in whole. One JSON line each.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../test/ledger/deployment.js';
import { checkFolder, storedFiles, variedLedger } from '../test/ledger/fsck-folder.js';
import { countFlips } from '../test/ledger/fsck-flips.js';

const FLIPS = 1000;
const SEED = 20_261_121;
const BATCH_ENTRIES = 256;

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-fsck-'));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function flips(): Promise<void> {
  await inFolder(async (dir) => {
    await variedLedger(dir, { rounds: 7, batches: 12 });
    const files = await storedFiles(dir);
    const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
    const before = await checkFolder(dir);
    const counted = await countFlips(dir, FLIPS, SEED);
    console.log(
      JSON.stringify({
        bench: 'fsck-flips',
        seed: SEED,
        files: files.map(({ file }) => file),
        bytes,
        entries: before.counted?.size,
        cleanBefore: before.findings.damageCount === 0,
        ...counted,
      }),
    );
  });
}

async function fill(dir: string, entries: number): Promise<void> {
  const ledger = await openLedger(ledgerDeps(dir));
  for (let first = 0; first < entries; first += 16 * BATCH_ENTRIES) {
    const batches = Array.from({ length: 16 }, (_, n) => {
      const from = first + n * BATCH_ENTRIES;
      const items = Array.from({ length: BATCH_ENTRIES }, (_unused, i) => noticeItem(`${from + i}`));
      return ledger.submit(batchOf(officer, from, items));
    });
    await Promise.all(batches);
  }
  await ledger.close();
}

async function speed(entries: number): Promise<void> {
  await inFolder(async (dir) => {
    await fill(dir, entries);
    const startMs = performance.now();
    const { findings, counted } = await checkFolder(dir);
    const seconds = (performance.now() - startMs) / 1000;
    console.log(
      JSON.stringify({
        bench: 'fsck-speed',
        entries: counted?.size,
        damage: findings.damageCount,
        seconds,
        entriesPerSecond: Math.round((counted?.size ?? 0) / seconds),
        peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
      }),
    );
  });
}

export async function benchFsck(): Promise<void> {
  await flips();
  await speed(1_000_000);
}
