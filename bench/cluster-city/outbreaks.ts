/** Outbreaks over a synthetic city, by the simulation that clusters were validated with (docs/clusters.md, "How well it works"). */
import { readFileSync } from 'node:fs';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { MUTUAL, readContactColumns } from '../../protocol/contact-columns.js';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import { seededRandom } from '../../radio/random.js';
import type { Random } from '../../radio/random.js';
import type { ClusterCase } from '../../tracer/cluster/cluster-result.js';
import type { Contact } from '../../tracer/contact.js';
import { simulateOutbreak } from '../../test/tracer/cluster/outbreak.js';
import type { Infection } from '../../test/tracer/cluster/outbreak.js';
import { EARLY, periodsIn } from '../../test/tracer/cluster/study.js';
import type { City } from '../trace/city.js';

/** Of the infected, so many become known as cases. */
const KNOWN_SHARE = 0.3;
const MOST_CATCHING = 64;
const PATIENCE = 20;

/** Those of whom cases are drawn: the source is not among them, nor who falls ill after the window. */
export type Outbreak = readonly Infection[];

/** Each with `cases` known cases at least. Throws RangeError where none takes hold. */
export function outbreaksIn(city: City, count: number, cases: number): readonly Outbreak[] {
  const random = seededRandom('clusters of a city');
  const outbreaks: Outbreak[] = [];
  for (let attempt = 0; outbreaks.length < count; attempt++) {
    if (attempt >= PATIENCE * count) throw new RangeError('outbreaks die out');
    const outbreak = outbreakIn(city, cases / KNOWN_SHARE, random);
    if (outbreak !== undefined) outbreaks.push(outbreak);
  }
  return outbreaks;
}

/** The least catching one from a source and a time drawn at random that infects so many; `undefined` where none does. */
function outbreakIn(city: City, infected: number, random: Random): Outbreak | undefined {
  const { people, from, to } = city;
  const source = 1 + random.below(people);
  const infectiousFrom = Math.round(from + random.next() * (to - from) * EARLY);
  for (let catching = 1; catching <= MOST_CATCHING; catching *= 2) {
    const disease = { ...periodsIn(city), catching };
    const all = simulateOutbreak(contactsOf(city), { source, infectiousFrom }, disease, random);
    const ill = all.slice(1).filter(({ onset }) => onset <= to);
    if (ill.length >= infected) return ill;
  }
  return undefined;
}

/** So many of an outbreak, in the order in which they were infected. */
export function casesOf(outbreak: Outbreak, count: number, seed: string): readonly ClusterCase[] {
  const random = seededRandom(seed);
  const drawn = new Set<Infection>();
  while (drawn.size < Math.min(count, outbreak.length)) {
    const one = outbreak[random.below(outbreak.length)];
    if (one !== undefined) drawn.add(one);
  }
  return outbreak
    .filter((one) => drawn.has(one))
    .map(({ person, onset }) => ({ tag: String(person), onset }));
}

/** In order of start; they come from a file of no ledger. */
export function* contactsOf({ files }: Pick<City, 'files'>): Generator<Contact> {
  for (const file of files) {
    const day = readContactColumns(new Uint8Array(readFileSync(file)));
    for (let k = 0; k < day.count; k++) {
      const start = day.start[k]!;
      yield {
        ...{ a: asTagNumber(day.lower[k]!), b: asTagNumber(day.upper[k]!) },
        ...{ start, end: start + day.duration[k]!, epoch: asEpoch(Math.floor(start / EPOCH_SECONDS)) },
        bucketSeconds: [day.immediate[k]!, day.near[k]!, day.medium[k]!, day.other[k]!],
        ...{ attenuationDb: day.attenuationDb[k]!, mutual: (day.flags[k]! & MUTUAL) !== 0 },
        ...{ partial: false, ledger: [] },
      };
    }
  }
}
