/**
 * Clusters over a contact store that was built of a synthetic city, as `npm run bench -- cluster-city` times them, against the
 * formula of docs/clusters.md ("The model") worked out over traces by the letter of docs/tracing.md.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { contactsOf } from '../../../bench/cluster-city/outbreaks.js';
import { dayFile } from '../../../firmware-sim/city/city-folder.js';
import { DEFAULT_CONTACTS_PER_DAY, DEFAULT_FIRST_DAY } from '../../../firmware-sim/city/city-settings.js';
import { makeCity } from '../../../firmware-sim/city/make-city.js';
import { silentLog } from '../../../protocol/log.js';
import { findClusters } from '../../../tracer/cluster/find-clusters.js';
import type { Contact } from '../../../tracer/contact.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { openSegmentStore } from '../../../tracer/contacts/segment-store.js';
import { trace } from '../../../tracer/looks/trace.js';
import { referenceTrace } from '../../reference/brute-force.js';
import type { ReferenceRow } from '../../reference/brute-force.js';

const DAYS = 4;
const PEOPLE = 60;
const DAY = 86_400;
const FROM = DEFAULT_FIRST_DAY * DAY;
const WALK = { hops: 3, from: FROM, to: FROM + DAYS * DAY, minSeconds: 900, latentSeconds: 6 * 3600 };
const CASES = [7, 19, 31, 44].map((tag, k) => ({ tag, onset: FROM + 2.5 * DAY + k * 20_000 }));

interface Ranked {
  readonly person: number;
  readonly score: number;
}

const product = (factors: readonly number[]): number => factors.reduce((x, y) => x * y, 1);
const chance = (row: ReferenceRow | undefined, catching: number): number =>
  row ? (1 - (1 - row.score ** (1 / row.hop)) ** catching) ** row.hop : 0;

/** Every candidate with its share of the likelihood, the likeliest first. */
function rankedByFormula(contacts: readonly Contact[]): Ranked[] {
  const rowsOf = (tag: number, changes: object) =>
    referenceTrace(contacts, { ...WALK, case: String(tag), direction: 'backward', ...changes }).reached;
  const traces = CASES.map(({ tag, onset }) => rowsOf(tag, { to: onset }));
  const rowIn = (k: number, person: number) => traces[k]?.find((row) => row.person === person);
  const people = Array.from({ length: PEOPLE }, (_, k) => k + 1);
  const likelihoods = people.flatMap((person) => {
    const rows = CASES.flatMap((_, k) => rowIn(k, person) ?? []);
    const own = CASES.find(({ tag }) => tag === person);
    if (rows.length + (own && rows.length > 0 ? 1 : 0) < 2) return [];
    const from = Math.min(...rows.map(({ earliestAt }) => earliestAt));
    const ahead = rowsOf(person, { direction: 'forward', from });
    const others = ahead.filter((row) => CASES.every(({ tag }) => tag !== row.person));
    const explained = (catching: number) =>
      CASES.map(({ tag, onset }, k) => {
        if (tag === person) return 1;
        const before = CASES.filter((other) => other !== own && other.onset < onset);
        const spared = before.map((other) => 1 - 0.75 * chance(rowIn(k, other.tag), catching));
        const late = own && own.onset > onset ? 0.2 : 1;
        return 0.01 + 0.99 * (1 - product([...spared, 1 - late * chance(rowIn(k, person), catching)]));
      });
    const likelihood = [3, 5, 8].reduce((sum, catching) => {
      const withShare = (known: number) =>
        product([own ? 1 : 1 - known, ...others.map((row) => 1 - known * chance(row, catching))]);
      return sum + product(explained(catching)) * (withShare(0.1) + withShare(0.3));
    }, 0);
    return [{ person, likelihood }];
  });
  const all = likelihoods.reduce((sum, { likelihood }) => sum + likelihood, 0);
  return likelihoods
    .map(({ person, likelihood }) => ({ person, score: likelihood / all }))
    .sort((x, y) => y.score - x.score);
}

it('ranks the people of a city as the formula does', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-cluster-city-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const settings = {
    ...{ people: PEOPLE, days: DAYS, seed: 'clusters', firstDay: DEFAULT_FIRST_DAY },
    contactsPerDay: DEFAULT_CONTACTS_PER_DAY,
  };
  await makeCity({ settings, dir, signal: new AbortController().signal });
  const files = Array.from({ length: DAYS }, (_, k) => dayFile(dir, DEFAULT_FIRST_DAY + k));
  const segments = await openSegmentStore(join(dir, 'store'));
  await segments.importColumns(files, { threads: 1 });
  await segments.close();
  const store = await openContactStore(join(dir, 'store'), { log: silentLog });
  onTestFinished(() => store.close());
  const cases = CASES.map(({ tag, onset }) => ({ tag: String(tag), onset }));
  const asked = { ...WALK, cases, list: 32 };
  const { sources, sourceCount } = await findClusters(
    async (request) => trace(store.view(), request),
    undefined,
    asked,
  );
  const expected = rankedByFormula([...contactsOf({ files })]);
  expect(expected.length).toBeGreaterThan(10);
  expect(sourceCount).toBe(expected.length);
  const told = sources.map((source) => (source.kind === 'person' ? Number(source.person) : NaN));
  expect(told).toEqual(expected.slice(0, 32).map(({ person }) => person));
  for (const [k, { score }] of sources.entries()) expect(score).toBeCloseTo(expected[k]?.score ?? NaN, 9);
});
