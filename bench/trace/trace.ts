/**
 * `npm run bench -- trace --contacts N`: traces over a synthetic city (docs/city.md) by Firebreak and, in the same run and on the
 * same contacts, by SQLite and PostgreSQL, which must find the same people at the same times; then what else the contact
 * store is to keep to. Figures as JSON lines, each with its goal. The goals in seconds and bytes are for 10^8 contacts.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildStore, newCity } from './city.js';
import type { City } from './city.js';
import { megabytes, quantile, round, seconds, spread, tell } from './figures.js';
import { startOurs } from './ours.js';
import type { Lived } from './ours-messages.js';
import type { Ours } from './ours.js';
import { loadPeers } from './peers.js';
import { openPostgres } from './postgres.js';
import { questions } from './question.js';
import type { Question } from './question.js';
import { race, runAlone } from './race.js';
import { benchRecorded } from './recorded.js';
import { rowsOf } from './rows.js';
import { openSqlite } from './sqlite.js';

const DEFAULT_CONTACTS = 10_000_000;
const LIST = 10_000;
const GOAL_BYTES_PER_ENTRY = 16;
/** A p99 of some 900 traces is the tenth from the end: it differs from run to run. */
const LIVE_RUNS = 3;
/** Of a peer's pages and indexes, roundly. */
const PEER_BYTES_PER_CONTACT = 160;

/**
 * Takes about 350 bytes of disk a contact, in the folder for temporary files, and 24 minutes for 10^8 contacts. Alone:
 * without the peers, which take 16 of these to load.
 */
export async function benchTrace(asked?: string, alone = false): Promise<void> {
  const wanted = asked === undefined ? DEFAULT_CONTACTS : Number(asked);
  const peers = alone ? undefined : await loadPeers();
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-trace-'));
  await chmod(dir, 0o711); // the user of PostgreSQL must find its folder
  try {
    const city = await newCity(join(dir, 'city'), wanted, tell);
    const store = join(dir, 'store');
    await buildStore(city, store, tell);
    const ours = await restart(city, store);
    try {
      if (peers === undefined) await runAlone(ours, questionsTo(city), city.contacts);
      else {
        await raceSqlite(ours, city, peers, dir);
        await racePostgres(ours, city, peers, dir);
      }
      await widely(ours, city);
      await tellMemory(ours, city, 'after every contact in four hops');
    } finally {
      await ours.end();
    }
    const deployment = join(dir, 'deployment');
    await benchRecorded(deployment, store, questionsTo(city), city);
    await rm(deployment, { recursive: true });
    await live(city, store);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * A new process, until it has given an answer. The store was just written, so its files are in the system's page cache; there is no
 * ledger and nothing of its reports. A whole tracer's start is timed in recorded.ts.
 */
async function restart(city: City, dir: string): Promise<Ours> {
  const startMs = performance.now();
  const ours = startOurs();
  const opened = await ours.tell({ kind: 'open', dir });
  const [question] = questionsTo(city);
  if (question === undefined) throw new Error('there are no questions');
  await ours.tell({ kind: 'ask', question, list: LIST });
  const { contacts } = city;
  tell({
    measure: 'store alone, restart to first answer',
    contacts,
    pageCache: 'warm',
    seconds: seconds(startMs),
    openSeconds: round(opened.seconds),
    goalSeconds: 15,
  });
  const { segmentBytes, entries } = opened;
  const [bytesPerEntry, goalBytes] = [round(segmentBytes / entries), GOAL_BYTES_PER_ENTRY];
  tell({ measure: 'segments', contacts, entries, bytesPerEntry, goalBytes });
  await tellMemory(ours, city, 'after one filtered question');
  return ours;
}

/** Of the process that has the store and nothing else of a tracer. */
async function tellMemory(ours: Ours, { contacts }: City, when: string): Promise<void> {
  const { residentBytes } = await ours.tell({ kind: 'memory' });
  const goalMegabytes = megabytes(32 * contacts + 500e6);
  tell({
    measure: `store alone, resident memory ${when}`,
    contacts,
    megabytes: megabytes(residentBytes),
    goalMegabytes,
  });
}

const questionsTo = ({ people, from, to }: City): readonly Question[] => questions(people, from, to);
type Peers = Awaited<ReturnType<typeof loadPeers>>;

/** Generous, and never more than leaves room for the rest. */
const cacheBytes = ({ contacts }: City): number =>
  Math.min(512 * 2 ** 20 + PEER_BYTES_PER_CONTACT * contacts, freemem() / 2);

async function raceSqlite(ours: Ours, city: City, peers: Peers, dir: string): Promise<void> {
  const startMs = performance.now();
  const rows = rowsOf(city.files, city.people);
  const { answerers, close } = await openSqlite(peers, join(dir, 'peer.sqlite'), rows, cacheBytes(city));
  try {
    tell({ measure: 'build', system: 'sqlite', contacts: city.contacts, seconds: seconds(startMs) });
    await race(ours, 'sqlite', answerers, questionsTo(city), city.contacts);
  } finally {
    close();
    await rm(join(dir, 'peer.sqlite'));
  }
}

async function racePostgres(ours: Ours, city: City, peers: Peers, dir: string): Promise<void> {
  const startMs = performance.now();
  const rows = rowsOf(city.files, city.people);
  const { answerers, close } = await openPostgres(peers, dir, rows, cacheBytes(city));
  try {
    tell({ measure: 'build', system: 'postgres', contacts: city.contacts, seconds: seconds(startMs) });
    await race(ours, 'postgres', answerers, questionsTo(city), city.contacts);
  } finally {
    await close();
  }
}

/** What reaches much of the city: every contact, no latent period. */
async function widely(ours: Ours, city: City): Promise<void> {
  const { contacts, people } = city;
  for (const [hops, goalMs] of [
    [3, 150],
    [4, 1500],
  ] as const) {
    const samples: number[][] = [];
    const walks: number[][] = [];
    const reached: number[] = [];
    for (const one of questionsTo(city)) {
      const question = { ...one, hops, minSeconds: 0, latentSeconds: 0 };
      const asked = await ours.tell({ kind: 'ask', question, list: LIST });
      samples.push([asked.traceMs]);
      walks.push([asked.walkMs]);
      reached.push(asked.reached);
    }
    const measure = `unfiltered, latent 0, ${hops} hops`;
    const walkP50Ms = spread(walks).p50Ms;
    tell({
      measure,
      contacts,
      people,
      ...spread(samples),
      walkP50Ms,
      reached: quantile(reached, 0.5),
      goalMs,
    });
  }
}

/** The last day comes in live, over a store of the days before. */
async function live(city: City, dir: string): Promise<void> {
  const [past, present] = [city.files.slice(0, -1), city.files.slice(-1)];
  const builder = startOurs();
  await builder.tell({ kind: 'build', dir, files: past }).finally(() => builder.end());
  const ratios: number[] = [];
  for (let run = 0; run < LIVE_RUNS; run++) {
    const ours = startOurs(); // what a run before it took was not saved
    try {
      await ours.tell({ kind: 'open', dir });
      const lived = await ours.tell({ kind: 'live', files: present, questions: questionsTo(city) });
      ratios.push(tellLived(city, lived));
      await tellMemory(ours, city, 'after the last day came in live');
    } finally {
      await ours.end();
    }
  }
  const ratio = quantile(ratios, 0.5);
  tell({ measure: 'live, median of the runs', contacts: city.contacts, ratio, goalRatio: 1.5 });
}

/** Gives p99 while contacts come in against that with nothing coming in. */
function tellLived(city: City, { beforeMs, liveMs, afterMs, contacts, words, seconds: took }: Lived): number {
  const figures = (ms: readonly number[]) => ({ p50Ms: quantile(ms, 0.5), p99Ms: quantile(ms, 0.99) });
  const [idle, live] = [figures([...beforeMs, ...afterMs]), figures(liveMs)];
  const ratio = round(live.p99Ms / idle.p99Ms);
  tell({
    measure: 'live',
    contacts: city.contacts,
    taken: contacts,
    contactsPerSecond: Math.round(contacts / took),
    goalContactsPerSecond: 100_000,
    wordsPerSecond: Math.round(words / took),
    traces: liveMs.length,
    ...{ before: figures(beforeMs), after: figures(afterMs), idle, live, ratio },
  });
  return ratio;
}
