/**
 * Durable append, the ledger against hypercore: the same payloads of 250 bytes, each batch on disk before the next one
 * begins. Every run is a process of its own on an empty folder; the two take turns, and medians are compared. Both are
 * given the seed of their payloads, and what was appended is read back from both afterwards and must be the same.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AppendFigures, AppendRun } from './append-run.js';

const run = promisify(execFile);
const RUN = fileURLToPath(new URL('./append-run.js', import.meta.url));

/** Entries in a batch, and how many batches are timed. */
const SIZES = [
  { batch: 1, count: 10_000, goal: 2 },
  { batch: 64, count: 3000, goal: 2.5 },
  { batch: 1024, count: 300, goal: 3 },
] as const;
const ROUNDS = 5;

interface Turn {
  readonly folder: string;
  readonly batch: number;
  readonly count: number;
  readonly seed: string;
}

async function appendIn(system: string, { folder, batch, count, seed }: Turn): Promise<AppendRun> {
  const dir = await mkdtemp(join(folder, `${system}-`));
  try {
    const args = [RUN, system, dir, String(batch), String(count), seed];
    const { stdout } = await run(process.execPath, args);
    return JSON.parse(stdout) as AppendRun;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** One run of each on the same payloads. Throws when what they hold afterwards differs. */
async function inTurn(folder: string, batch: number, count: number): Promise<[AppendRun, AppendRun]> {
  const turn = { folder, batch, count, seed: randomBytes(16).toString('hex') };
  const ours = await appendIn('firebreak', turn);
  const peer = await appendIn('hypercore', turn);
  if (ours.readBackSha256 === peer.readBackSha256) return [ours, peer];
  throw new Error(`in batches of ${batch}, the two hold other payloads after the same appends`);
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
        const [own, other] = await inTurn(folder, batch, count);
        ours.push(own);
        peer.push(other);
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
