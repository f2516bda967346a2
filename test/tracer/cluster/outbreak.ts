/**
 * Simulated outbreaks over contacts, of which the whole tree is known: who was infected, by whom and when. Somebody passes
 * it on in a contact that starts when they are infectious (tracing.md), with the chance p = 1 − exp(−β·W/θ) of docs/tracing.md,
 * β times as catching. Shares no code with the tracer's walk.
 */
import { asTagNumber } from '../../../protocol/brands.js';
import type { TagNumber } from '../../../protocol/brands.js';
import type { Random } from '../../../radio/random.js';
import type { Contact } from '../../../tracer/contact.js';

const BUCKET_WEIGHTS = [1, 0.8, 0.3, 0] as const;
const THETA_SECONDS = 90 * 60;

export interface Disease {
  /** β: how many times as catching as the score of docs/tracing.md takes it to be. */
  readonly catching: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds: number;
  /** From the end of the latent period to onset: exponential, this long on average. */
  readonly onsetDelaySeconds: number;
}

export interface Infection {
  readonly person: TagNumber;
  /** `undefined` for the source. */
  readonly infector: TagNumber | undefined;
  /** Unix seconds. */
  readonly exposedAt: number;
  readonly onset: number;
}

/** Everybody infected, the source first, in order of exposure. `contacts` are in order of start. */
export function simulateOutbreak(
  contacts: Iterable<Contact>,
  start: { readonly source: number; readonly infectiousFrom: number },
  disease: Disease,
  random: Random,
): readonly Infection[] {
  const { latentSeconds, infectiousSeconds } = disease;
  const exposedAt = new Map<number, number>([[start.source, start.infectiousFrom - latentSeconds]]);
  const infector = new Map<number, TagNumber>();
  const isInfectious = (person: number, at: number): boolean => {
    const since = at - (exposedAt.get(person) ?? Infinity) - latentSeconds;
    return since >= 0 && since <= infectiousSeconds;
  };
  const passOn = (from: TagNumber, to: TagNumber, contact: Contact): void => {
    const isNews = contact.end < (exposedAt.get(to) ?? Infinity);
    if (!isNews || !isInfectious(from, contact.start) || random.next() >= chanceOf(contact, disease)) return;
    exposedAt.set(to, contact.end);
    infector.set(to, from);
  };
  for (const contact of contacts) {
    if (contact.start < start.infectiousFrom) continue;
    passOn(contact.a, contact.b, contact);
    passOn(contact.b, contact.a, contact);
  }
  return [...exposedAt]
    .sort(([x, exposedX], [y, exposedY]) => exposedX - exposedY || x - y)
    .map(([person, at]) => ({
      person: asTagNumber(person),
      infector: infector.get(person),
      exposedAt: at,
      onset: at + latentSeconds + Math.round(-Math.log(1 - random.next()) * disease.onsetDelaySeconds),
    }));
}

function chanceOf({ bucketSeconds, mutual }: Contact, { catching }: Disease): number {
  const seconds = bucketSeconds.reduce((sum, bucket, k) => sum + bucket * (BUCKET_WEIGHTS[k] ?? 0), 0);
  return 1 - Math.exp((-catching * seconds * (mutual ? 1 : 0.5)) / THETA_SECONDS);
}
