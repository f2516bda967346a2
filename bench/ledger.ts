/**
 * Durable append, the ledger against hypercore: the same payloads of 250 bytes, each batch on disk before the next one
 * begins. Every run is a process of its own on an empty folder; the two take turns, and medians are compared.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AppendFigures } from './append-run.js';

const run = promisify(execFile);
const RUN = fileURLToPath(new URL('./append-run.js', import.meta.url));

/** Entries in a batch, and how many batches are timed. */
const SIZES = [
  { batch: 1, count: 10_000, goal: 2 },
  { batch: 64, count: 3000, goal: 2.5 },
  { batch: 1024, count: 300, goal: 3 },
] as const;
const ROUNDS = 5;

async function appendIn(
  folder: string,
  system: string,
  batch: number,
  count: number,
): Promise<AppendFigures> {
  const dir = await mkdtemp(join(folder, `${system}-`));
  try {
    const args = [RUN, system, dir, String(batch), String(count)];
    const { stdout } = await run(process.execPath, args);
    return JSON.parse(stdout) as AppendFigures;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const medians = (runs: readonly AppendFigures[]): AppendFigures => ({
  entriesPerSecond: medianOf(runs.map(({ entriesPerSecond }) => entriesPerSecond)),
  cpuMicrosPerEntry: medianOf(runs.map(({ cpuMicrosPerEntry }) => cpuMicrosPerEntry)),
  p99Ms: medianOf(runs.map(({ p99Ms }) => p99Ms)),
});

/** In the folder the bench is started from: a temporary folder is often in memory, where a sync costs nothing. */
export async function benchLedger(): Promise<void> {
  const folder = await mkdtemp(join(process.cwd(), '.bench-'));
  try {
    for (const { batch, count, goal } of SIZES) {
      const ours: AppendFigures[] = [];
      const peer: AppendFigures[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await appendIn(folder, 'firebreak', batch, count));
        peer.push(await appendIn(folder, 'hypercore', batch, count));
      }
      const [firebreak, hypercore] = [medians(ours), medians(peer)];
      const ratio = Number((firebreak.entriesPerSecond / hypercore.entriesPerSecond).toFixed(2));
      console.log(
        JSON.stringify({ bench: 'append', batch, rounds: ROUNDS, firebreak, hypercore, ratio, goal }),
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
