/**
 * What a tracer remembers of reports, at the size of a city: what each costs to take, to keep in memory while its day lasts and after,
 * and to find again at a start. The store is a real folder; opening reports and their contacts are no part of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { asTagNumber } from '../protocol/brands.js';
import { sha256 } from '../protocol/crypto/hash.js';
import { silentLog } from '../protocol/log.js';
import type { ContactStore } from '../tracer/contacts/contact-store.js';
import { openContactStore } from '../tracer/contacts/open-contact-store.js';
import { ReportChains } from '../tracer/reports/report-chains.js';
import type { ChainLink } from '../tracer/reports/report-chains.js';
import { megabytes, quantile, round, seconds } from './trace/figures.js';

const REPORTS_A_DAY = 2_000_000;
const TAGS = 500_000;
const DAYS = 5;
const FIRST_DAY = 20_000;
/** A tracer saves after so many entries. */
const SAVE_EVERY = 16_384;
const ASKED = 20_000;
const SECTION = 'report chains';

/** The n-th of a day: each tag in its turn, each names the one before. */
function report(day: number, n: number): ChainLink {
  const tag = asTagNumber(1 + (n % TAGS));
  const perDay = REPORTS_A_DAY / TAGS;
  const seq = (day - FIRST_DAY) * perDay + Math.floor(n / TAGS);
  const index = (day - FIRST_DAY) * REPORTS_A_DAY + n;
  const prev = seq === 0 ? new Uint8Array(32) : hashOf(tag, seq - 1, 0);
  return {
    ...{ tag, day, seq, prev, ledgerIndex: index },
    ...{ reportHash: hashOf(tag, seq, 0), plaintextHash: hashOf(tag, seq, 1) },
  };
}

function hashOf(tag: number, seq: number, what: number): Uint8Array {
  return sha256(new Uint8Array(Uint32Array.of(tag, seq, what).buffer));
}

interface Saved {
  readonly ms: number;
  /** What somebody else on this thread had to wait at most. */
  readonly longestTurnMs: number;
}

async function save(store: ContactStore, chains: ReportChains, size: number): Promise<Saved> {
  const startMs = performance.now();
  let [lastMs, longestTurnMs] = [startMs, 0];
  let isOver = false;
  const look = (): void => {
    const nowMs = performance.now();
    longestTurnMs = Math.max(longestTurnMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const changes = await chains.changes();
  await store.save({ size }, new Map([[SECTION, chains.encode()]]), changes);
  chains.saved();
  isOver = true;
  look();
  return { ms: performance.now() - startMs, longestTurnMs };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const memoryBytes = (): number => {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Prints a JSON line a day, and one of the start after them. */
export async function benchReports(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-reports-'));
  try {
    let [store, chains] = await open(dir);
    const atFirst = memoryBytes();
    for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
      const figures = await liveADay(store, chains, day);
      const reports = (day - FIRST_DAY + 1) * REPORTS_A_DAY;
      tell({
        measure: 'a day of reports',
        reports,
        ...figures,
        megabytes: megabytes(memoryBytes() - atFirst),
      });
    }
    tell({ measure: 'a report of a day that is over, sent again', microseconds: askAgain(chains) });
    await store.close();
    const startMs = performance.now();
    [store, chains] = await open(dir);
    tell({
      measure: 'start',
      reports: DAYS * REPORTS_A_DAY,
      seconds: seconds(startMs),
    });
    await store.close();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function open(dir: string): Promise<[ContactStore, ReportChains]> {
  const store = await openContactStore(dir, { log: silentLog });
  const chains = new ReportChains({ coldPath: store.coldPath });
  const kept = store.kept.get(SECTION);
  if (kept) chains.restore(kept, store.takeParts());
  return [store, chains];
}

async function liveADay(store: ContactStore, chains: ReportChains, day: number) {
  let takeMs = 0;
  const saves: Saved[] = [];
  for (let n = 0; n < REPORTS_A_DAY; n += SAVE_EVERY) {
    const some = Array.from({ length: Math.min(SAVE_EVERY, REPORTS_A_DAY - n) }, (_, k) =>
      report(day, n + k),
    );
    const startMs = performance.now();
    for (const one of some) {
      const { kind } = chains.add(one);
      if (kind !== 'new') throw new Error(`report ${one.seq} of tag ${one.tag} is a ${kind}`);
    }
    takeMs += performance.now() - startMs;
    saves.push(await save(store, chains, (day - FIRST_DAY) * REPORTS_A_DAY + n));
  }
  return {
    microsecondsAReport: round((1000 * takeMs) / REPORTS_A_DAY),
    saveMs: quantile(
      saves.map(({ ms }) => ms),
      0.5,
    ),
    slowestSaveMs: round(Math.max(...saves.map(({ ms }) => ms))),
    longestTurnMs: round(Math.max(...saves.map((one) => one.longestTurnMs))),
  };
}

/** All over the first day, in no order. */
function askAgain(chains: ReportChains): number {
  const some = Array.from({ length: ASKED }, (_, k) => report(FIRST_DAY, (k * 7_919) % REPORTS_A_DAY));
  const startMs = performance.now();
  for (const one of some) {
    const { kind } = chains.add(one);
    if (kind !== 'retry') throw new Error(`a report that was sent again is ${kind}`);
  }
  return round((1000 * (performance.now() - startMs)) / ASKED);
}

const tell = (figures: Readonly<Record<string, unknown>>): void =>
  console.log(JSON.stringify({ bench: 'reports', ...figures }));
