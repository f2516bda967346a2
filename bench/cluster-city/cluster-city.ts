/**
 * `npm run bench -- cluster-city --contacts N`: clusters of 2 to 64 cases of simulated outbreaks over a synthetic city
 * (docs/city.md), asked of a real contact store as a tracer asks them; how soon one that is called off ends; and whether
 * contacts come in meanwhile. Figures as JSON lines. That the answers are right at a size that can be worked out by hand is what
 * test/tracer/cluster/city.test.ts says.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_CASES, MAX_SOURCES } from '../../tracer/cluster/cluster-result.js';
import type { ClusterCase, ClusterRequest } from '../../tracer/cluster/cluster-result.js';
import { periodsIn } from '../../test/tracer/cluster/study.js';
import { buildStore, newCity } from '../trace/city.js';
import type { City } from '../trace/city.js';
import { megabytes, quantile, round } from '../trace/figures.js';
import { startOurs } from '../trace/ours.js';
import type { Clustered } from '../trace/ours-messages.js';
import type { Ours } from '../trace/ours.js';
import { CLOSE_SECONDS, LATENT_SECONDS } from '../trace/question.js';
import { casesOf, outbreaksIn } from './outbreaks.js';
import type { Outbreak } from './outbreaks.js';

const DEFAULT_CONTACTS = 10_000_000;
const SIZES = [2, 5, 20, MAX_CASES];
/** Each is asked once for every size and way to ask; whoever gets no answer in time waited for 50 s. */
const OUTBREAKS = 5;
const CALLED_OFF_AFTER = [0.1, 0.5, 0.9];

const tell = (figures: object): void => console.log(JSON.stringify({ bench: 'cluster-city', ...figures }));

type Settings = Omit<ClusterRequest, 'cases'>;

/** Takes about 100 bytes of disk a contact, in the folder for temporary files. */
export async function benchClusterCity(asked?: string): Promise<void> {
  const wanted = asked === undefined ? DEFAULT_CONTACTS : Number(asked);
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-clusters-'));
  try {
    const city = await newCity(join(dir, 'city'), wanted, tell);
    const store = join(dir, 'store');
    await buildStore(city, store, tell);
    const outbreaks = outbreaksIn(city, OUTBREAKS, MAX_CASES);
    await callOff(city, store, outbreaks);
    await whileTaking(city, join(dir, 'past'), outbreaks);
    for (const [name, settings] of Object.entries(settingsIn(city)))
      await askAll(city, store, name, settings, outbreaks);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What clusters were validated with; what the program asks where nothing else is said; what reaches the whole city. */
function settingsIn({ from, to, ...city }: City): Readonly<Record<string, Settings>> {
  const { latentSeconds, infectiousSeconds } = periodsIn({ from, to, ...city });
  const wide = { hops: 4, from, to, minSeconds: 0, gateways: false, list: MAX_SOURCES };
  const asDefault = { hops: 3, minSeconds: CLOSE_SECONDS, latentSeconds: LATENT_SECONDS };
  return {
    default: { ...asDefault, from, to, gateways: false },
    everything: { ...wide, latentSeconds: 0 },
    validated: { ...wide, latentSeconds, infectiousSeconds, incubationSeconds: latentSeconds },
  };
}

/** Of what reaches everything the onsets are left out: each case is walked back from the end. */
function questionsOf(name: string, settings: Settings, outbreaks: readonly Outbreak[], size: number) {
  return outbreaks.map((outbreak, k): ClusterRequest => {
    const cases = casesOf(outbreak, size, `${k} ${size}`);
    return { ...settings, cases: name === 'everything' ? cases.map(withoutOnset) : cases };
  });
}

const withoutOnset = ({ tag }: ClusterCase): ClusterCase => ({ tag });

async function withOurs<T>(store: string, work: (ours: Ours) => Promise<T>): Promise<T> {
  const ours = startOurs();
  try {
    await ours.tell({ kind: 'open', dir: store });
    return await work(ours);
  } finally {
    await ours.end();
  }
}

/** In a process of its own, so that memory is that of these questions. */
async function askAll(
  city: City,
  store: string,
  name: string,
  settings: Settings,
  outbreaks: readonly Outbreak[],
): Promise<void> {
  await withOurs(store, async (ours) => {
    const [warmUp] = questionsOf(name, settings, outbreaks, SIZES[0] ?? MAX_CASES);
    if (warmUp) await ours.tell({ kind: 'cluster', request: warmUp });
    for (const size of SIZES) {
      const questions = questionsOf(name, settings, outbreaks, size);
      const answers: Clustered[] = [];
      for (const request of questions) answers.push(await ours.tell({ kind: 'cluster', request }));
      await tellAnswers(ours, { city, name, size }, answers);
    }
  });
}

interface What {
  readonly city: City;
  readonly name: string;
  readonly size: number;
}

async function tellAnswers(
  ours: Ours,
  { city, name, size }: What,
  answers: readonly Clustered[],
): Promise<void> {
  const median = (of: (one: Clustered) => number): number => quantile(answers.map(of), 0.5);
  const most = (of: (one: Clustered) => number): number => Math.max(...answers.map(of));
  const entries: number[] = [];
  for (const { walks, refused } of answers)
    if (refused === undefined) entries.push(await ours.tell({ kind: 'entriesOf', walks }));
  const times = answers.map(({ ms }) => ms);
  tell({
    measure: 'cluster',
    ...{ asked: name, contacts: city.contacts, people: city.people, cases: size, questions: answers.length },
    ...{ p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), walkP50Ms: median((one) => one.walkMs) },
    blockedMs: round(most((one) => one.blockedMs)),
    ...{ walks: median((one) => one.walks.length), entriesRead: quantile(entries, 0.5) },
    peopleConsidered: median((one) => one.candidates),
    ...{ weighed: median((one) => one.weighed), recorded: median((one) => one.recorded) },
    peakMB: megabytes(most((one) => one.peakBytes)),
    residentMB: megabytes(most((one) => one.residentBytes)),
    refused: answers.flatMap(({ refused }) => refused ?? []),
  });
}

function largestOf(city: City, outbreaks: readonly Outbreak[]): ClusterRequest {
  const settings = settingsIn(city)['everything'];
  const [request] = settings ? questionsOf('everything', settings, outbreaks, MAX_CASES) : [];
  if (request === undefined) throw new RangeError('there are no outbreaks');
  return request;
}

async function callOff(city: City, store: string, outbreaks: readonly Outbreak[]): Promise<void> {
  await withOurs(store, async (ours) => {
    const request = largestOf(city, outbreaks);
    const { ms } = await ours.tell({ kind: 'cluster', request });
    for (const share of CALLED_OFF_AFTER) {
      const afterMs = share * ms;
      const ended = await ours.tell({ kind: 'clusterCalledOff', request, afterMs });
      tell({
        measure: 'called off',
        contacts: city.contacts,
        ...{ share, afterMs: round(afterMs) },
        ...ended,
      });
    }
  });
}

/** The last day comes in, over a store of the days before, while the largest question is asked. */
async function whileTaking(city: City, store: string, outbreaks: readonly Outbreak[]): Promise<void> {
  const [past, present] = [city.files.slice(0, -1), city.files.slice(-1)];
  const builder = startOurs();
  await builder.tell({ kind: 'build', dir: store, files: past }).finally(() => builder.end());
  await withOurs(store, async (ours) => {
    const request = largestOf(city, outbreaks);
    const lived = await ours.tell({ kind: 'clusterLive', request, files: present });
    const { clustered, contacts: taken, seconds, wasUnderWay } = lived;
    tell({
      measure: 'while contacts come in',
      ...{ contacts: city.contacts, taken, contactsPerSecond: Math.round(taken / seconds), wasUnderWay },
      ...{ ms: round(clustered.ms), blockedMs: round(clustered.blockedMs) },
    });
  });
}
