/**
 * Kills ledgers under load at points spread over their lives, several at once on folders of their own, and holds a copy
 * of each folder against what its ledger had acknowledged. The next life opens the folder as the kill left it.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkCopy, type Verdict } from './kill-check.js';
import { loadFrom, makeFixture, type Load } from './load.js';

/** What the child is doing when it is to be killed: within so many milliseconds after it said so for the nth time. */
const AIMS = [
  { at: 'opening', withinMs: 60, nth: 1 },
  { at: 'replaying', withinMs: 20, nth: 1 },
  { at: 'open', withinMs: 250, nth: 1 },
  { at: 'journal turn', withinMs: 12, nth: 3 },
  { at: 'index turn', withinMs: 25, nth: 10 },
  { at: 'closing', withinMs: 15, nth: 1 },
] as const;

/** A life is over by itself after as many receipts; one to be killed while it closes, sooner. */
const RECEIPTS = 4000;
const RECEIPTS_BEFORE_CLOSING = 100;
/** A folder begins anew after as many lives, so that checking it stays quick. */
const LIVES = 4;
/** Of the batches acknowledged in earlier lives, so many are sent again as well. */
const ALSO_ASKED = 40;

export interface Told {
  readonly writer: number;
  readonly seq: number;
  readonly receipt: string;
}

/** A ledger's folder and what was acknowledged in it. */
interface Folder {
  readonly dir: string;
  readonly told: Told[];
  /** How many of them before its last life. */
  toldBefore: number;
  lives: number;
}

interface Death {
  /** What it had last said it was doing; `undefined` when it ended by itself. */
  readonly phase: string | undefined;
  readonly told: readonly Told[];
}

export interface KillFigures {
  kills: number;
  readonly phases: Record<string, number>;
  acknowledged: number;
  entries: number;
  readonly lost: string[];
  readonly twice: string[];
  readonly unsound: string[];
}

export interface KillSuite {
  readonly figures: KillFigures;
  /** Kills `atOnce` ledgers once each, then checks each folder. */
  readonly round: (atOnce: number) => Promise<void>;
}

function toldIn(line: string): Told | undefined {
  const [what, writer, seq, receipt] = line.split(' ');
  return what === 'receipt' && receipt !== undefined
    ? { writer: Number(writer), seq: Number(seq), receipt }
    : undefined;
}

const phaseOf = (line: string): string =>
  line.startsWith('receipt') || line === 'open' ? 'appending' : line;

async function liveAndDie(child: string, folder: Folder, fixture: string, aim: number): Promise<Death> {
  const { at, withinMs, nth } = AIMS[aim % AIMS.length] ?? AIMS[0];
  const closeAfter = at === 'closing' ? RECEIPTS_BEFORE_CLOSING : RECEIPTS;
  const args = [child, folder.dir, fixture, String(folder.lives), String(closeAfter)];
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    running.once('exit', (_, signal) => resolve(signal)),
  );
  const told: Told[] = [];
  let phase = 'starting';
  let heard = 0;
  let killing: Promise<unknown> | undefined;
  for await (const line of createInterface({ input: running.stdout })) {
    phase = phaseOf(line);
    const one = toldIn(line);
    if (one !== undefined) told.push(one);
    if (line === at) heard += 1;
    if (heard === nth) killing ??= sleep(randomInt(withinMs * 10) / 10).then(() => running.kill('SIGKILL'));
  }
  const signal = await ended;
  await killing;
  return { phase: signal === 'SIGKILL' ? phase : undefined, told };
}

/** Sets up folders below `base`; `child` is kill-child.ts, compiled. */
export async function killSuite(base: string, child: string): Promise<KillSuite> {
  const fixture = join(base, 'fixture.json');
  await writeFile(fixture, JSON.stringify(makeFixture()));
  const load = loadFrom(fixture);
  const figures: KillFigures = {
    kills: 0,
    phases: {},
    acknowledged: 0,
    entries: 0,
    lost: [],
    twice: [],
    unsound: [],
  };
  const folders: Folder[] = [];
  let aim = 0;

  async function killOnce(number: number): Promise<void> {
    let folder = folders[number];
    if (folder === undefined || folder.lives === LIVES) {
      folder = { dir: await mkdtemp(join(base, 'ledger-')), told: [], toldBefore: 0, lives: 0 };
      folders[number] = folder;
    }
    const death = await liveAndDie(child, folder, fixture, aim++);
    folder.lives += 1;
    folder.toldBefore = folder.told.length;
    folder.told.push(...death.told);
    figures.acknowledged += death.told.length;
    if (death.phase === undefined) return;
    figures.kills += 1;
    figures.phases[death.phase] = (figures.phases[death.phase] ?? 0) + 1;
  }

  return {
    figures,
    async round(atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, number) => killOnce(number)));
      for (const folder of folders) keepVerdict(figures, await checkFolder(base, folder, load));
      for (const { dir } of folders.filter(({ lives }) => lives === LIVES))
        await rm(dir, { recursive: true });
    },
  };
}

async function checkFolder(base: string, { dir, told, toldBefore }: Folder, load: Load): Promise<Verdict> {
  const copy = await mkdtemp(join(base, 'copy-'));
  await cp(dir, copy, { recursive: true });
  const verdict = await checkCopy(copy, load, {
    told,
    again: told.slice(Math.max(0, toldBefore - ALSO_ASKED)),
  });
  await rm(copy, { recursive: true });
  return verdict;
}

function keepVerdict(figures: KillFigures, { entries, lost, twice, unsound }: Verdict): void {
  figures.entries += entries;
  figures.lost.push(...lost);
  figures.twice.push(...twice);
  figures.unsound.push(...unsound);
}
