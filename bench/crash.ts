/**
 * Crash safety in figures: 200 ledgers killed under load at points spread over their lives. A kill
 * loses no write the system has taken, so a folder in memory will do, and the ledgers get further. Nothing may be lost, twice or unsound; the process fails otherwise.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoryFolder } from '../test/ledger/faults/fault-sweep.js';
import { killSuite } from '../test/ledger/faults/kill-rounds.js';

const CHILD = fileURLToPath(new URL('../test/ledger/faults/kill-child.js', import.meta.url));
const KILLS = 200;
const AT_ONCE = 4;

export async function benchCrash(): Promise<void> {
  const base = await mkdtemp(join(memoryFolder(), 'firebreak-kill-'));
  try {
    const { figures, round } = await killSuite(base, CHILD);
    while (figures.kills < KILLS) {
      await round(Math.min(AT_ONCE, KILLS - figures.kills));
      if (process.stderr.isTTY) console.error(`${figures.kills} of ${KILLS} killed`);
    }
    const { kills, phases, acknowledged, entries, lost, twice, unsound } = figures;
    const counts = { lost: lost.length, twice: twice.length, unsound: unsound.length };
    console.log(
      JSON.stringify({ bench: 'crash', kills, phases, acknowledged, entriesChecked: entries, ...counts }),
    );
    const wrong = [...lost, ...twice, ...unsound];
    if (wrong.length > 0) throw new Error(`not crash safe: ${wrong.slice(0, 20).join('; ')}`);
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
