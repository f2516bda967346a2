/**
 * How sure and how fast fsck is. Single bits are flipped all over the files of two ledgers: one that was stopped, with every
 * kind of entry and tables at three levels, and one that was killed, with a pruned day and a cosigned checkpoint. A large one
 * is checked in whole. One JSON line each; the process fails when a flip is missed that docs/ledger-fsck.md does not exempt.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../test/ledger/deployment.js';
import type { WitnessPolicy } from '../protocol/tlog/witness-policy.js';
import { checkFolder, foundIn, storedFiles, variedLedger } from '../test/ledger/fsck-folder.js';
import { KILLED_POLICY, prunedAndKilled } from '../test/ledger/fsck-killed.js';
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

interface Flipped {
  readonly name: string;
  readonly make: (dir: string) => Promise<void>;
  readonly policy?: WitnessPolicy;
}

const FLIPPED: readonly Flipped[] = [
  { name: 'stopped', make: (dir) => variedLedger(dir, { rounds: 7, batches: 12 }) },
  {
    name: 'killed',
    make: (dir) => prunedAndKilled(dir, { batches: 60, journalTurnBytes: 900 * 1024 }),
    policy: KILLED_POLICY,
  },
];

async function flips({ name, make, policy }: Flipped): Promise<void> {
  await inFolder(async (folder) => {
    const dir = join(folder, name);
    await make(dir);
    const files = await storedFiles(dir);
    const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
    const before = await checkFolder(dir, policy);
    if (before.findings.damageCount > 0) throw new Error(`damage before any flip: ${foundIn(before)[0]}`);
    const counted = await countFlips(dir, { flips: FLIPS, seed: SEED, ...(policy && { policy }) });
    console.log(
      JSON.stringify({
        bench: 'fsck-flips',
        ledger: name,
        seed: SEED,
        files: files.map(({ file }) => file),
        bytes,
        entries: before.counted?.size,
        ...counted,
      }),
    );
    if (counted.missed.length > 0) throw new Error(`missed: ${counted.missed.slice(0, 20).join(', ')}`);
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
  for (const one of FLIPPED) await flips(one);
  await speed(1_000_000);
}
