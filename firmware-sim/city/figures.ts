/**
 * What a city is like, in figures: counts of all its contacts, and what its people see, by a sample of them. Tag numbers
 * are dealt at random, so the lowest are as good a sample as any.
 */
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { CitySettings } from './city-settings.js';
import { KINDS } from './contact-kinds.js';
import type { Kind } from './contact-kinds.js';

const SAMPLE = 2000;
/** Fifteen minutes within 24 hours: a close contact (docs/tracing.md). */
export const CLOSE_SECONDS = 900;

/** Contacts of the sample on one day, in order of start: as many as `lower` has numbers. */
export interface SampledContacts {
  readonly lower: Uint32Array;
  readonly upper: Uint32Array;
  readonly end: Uint32Array;
  readonly near: Uint16Array;
}

export interface DayFigures {
  readonly count: number;
  /** By number of the kind. */
  readonly ofKind: Uint32Array;
  readonly sample: SampledContacts;
}

/** Over the people of the sample. */
export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface CityFigures {
  readonly contacts: number;
  /** Epochs with somebody, per person and day. */
  readonly perPersonAndDay: number;
  /** Share of all contacts, 0 to 1. */
  readonly kinds: Readonly<Record<Kind, number>>;
  readonly sampled: number;
  /** A person over all days: contacts, different people met, and those who were a close contact at any time. */
  readonly contactsEach: Spread;
  readonly peopleMet: Spread;
  readonly closeContacts: Spread;
}

/** Of somebody's columns; people up to the size of the sample are in it. */
export function sampleOf({
  count,
  lower,
  upper,
  start,
  duration,
  immediate,
  near,
}: ContactColumns): SampledContacts {
  const picked: number[] = [];
  for (let k = 0; k < count; k++) if (lower[k]! <= SAMPLE) picked.push(k); // lower < upper: one test will do
  return {
    lower: Uint32Array.from(picked, (k) => lower[k]!),
    upper: Uint32Array.from(picked, (k) => upper[k]!),
    end: Uint32Array.from(picked, (k) => start[k]! + duration[k]!),
    near: Uint16Array.from(picked, (k) => immediate[k]! + near[k]!),
  };
}

/** `days` in order. */
export function figuresOf({ people }: CitySettings, days: readonly DayFigures[]): CityFigures {
  const contacts = days.reduce((sum, { count }) => sum + count, 0);
  const share = (kind: number): number =>
    days.reduce((sum, { ofKind }) => sum + ofKind[kind]!, 0) / Math.max(1, contacts);
  const sampled = Math.min(SAMPLE, people);
  const { each, met, close } = lookAround(days, sampled);
  return {
    contacts,
    perPersonAndDay: (2 * contacts) / people / days.length,
    kinds: Object.fromEntries(KINDS.map((kind, number) => [kind, share(number)])) as Record<Kind, number>,
    sampled,
    contactsEach: spreadOf(each),
    peopleMet: spreadOf(met),
    closeContacts: spreadOf(close),
  };
}

/** A pair's ends and near seconds, in order of start, so far as they lie in the last 24 hours; and whether it was close. */
interface Pair {
  readonly ends: number[];
  readonly nears: number[];
  isClose: boolean;
}

/** By person of the sample. */
function lookAround(days: readonly DayFigures[], sampled: number) {
  const each = new Uint32Array(sampled);
  const met = new Uint32Array(sampled);
  const close = new Uint32Array(sampled);
  const pairs = new Map<number, Pair>();
  for (const { sample } of days) {
    for (const [k, lower] of sample.lower.entries()) {
      const upper = sample.upper[k]!;
      const bothOf = (counts: Uint32Array): void => {
        for (const tag of [lower, upper]) if (tag <= sampled) counts[tag - 1]! += 1;
      };
      const key = lower * 2 ** 24 + upper;
      const pair = pairs.get(key) ?? { ends: [], nears: [], isClose: false };
      if (!pairs.has(key)) bothOf(met);
      pairs.set(key, pair);
      bothOf(each);
      if (becomesClose(pair, sample.end[k]!, sample.near[k]!)) bothOf(close);
    }
  }
  return { each, met, close };
}

/** Once per pair. */
function becomesClose(pair: Pair, end: number, near: number): boolean {
  if (pair.isClose) return false;
  pair.ends.push(end);
  pair.nears.push(near);
  while (pair.ends[0]! <= end - DAY_SECONDS) {
    pair.ends.shift();
    pair.nears.shift();
  }
  pair.isClose = pair.nears.reduce((sum, seconds) => sum + seconds, 0) >= CLOSE_SECONDS;
  return pair.isClose;
}

function spreadOf(counts: Uint32Array): Spread {
  const sorted = counts.slice().sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const sum = sorted.reduce((total, count) => total + count, 0);
  return { mean: sum / sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
