/**
 * A recording of contacts, gathered line by line: lines of a pair that touch become one stretch, a line that comes twice
 * counts once, a person alone with itself is skipped and counted. Lines may come in any order.
 */
import { asTagNumber } from '../../protocol/brands.js';
import type { TagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { RecordedContact } from '../../radio/air/air-replay.js';
import { STEP_SECONDS } from './contact-lines.js';
import type { ContactLine } from './contact-lines.js';

export interface ContactRecording {
  /** Ascending; they are tag numbers. */
  readonly persons: readonly TagNumber[];
  /** Disjoint stretches; a and b are places in `persons`. By a, then b, then time. */
  readonly contacts: readonly RecordedContact[];
  /** Lines that count. */
  readonly lines: number;
  readonly duplicates: number;
  readonly selfContacts: number;
  /** First start and last end, unix ms. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface RecordingBuilder {
  add(line: ContactLine): void;
  /** Throws `input` when there was no contact at all. */
  finish(source: string): ContactRecording;
}

const FIRST_CAPACITY = 4096;
const STEP_MS = STEP_SECONDS * 1000;

export function recordingBuilder(): RecordingBuilder {
  const places = new Map<number, number>();
  let columns = newColumns(FIRST_CAPACITY);
  let length = 0;
  let selfContacts = 0;

  function placeOf(person: number): number {
    const known = places.get(person) ?? places.size;
    places.set(person, known);
    return known;
  }

  return {
    add: ({ t, i, j }) => {
      if (i === j) {
        selfContacts += 1;
        return;
      }
      if (length === columns.t.length) columns = grown(columns);
      columns.t[length] = t;
      columns.a[length] = placeOf(Math.min(i, j));
      columns.b[length] = placeOf(Math.max(i, j));
      length += 1;
    },
    finish: (source) => {
      if (length === 0) throw new FirebreakError('input', `${source} holds no contact between two persons`);
      return { ...assemble(columns, length, [...places.keys()]), selfContacts };
    },
  };
}

interface Columns {
  readonly t: Uint32Array;
  readonly a: Uint32Array;
  readonly b: Uint32Array;
}

const newColumns = (capacity: number): Columns => ({
  t: new Uint32Array(capacity),
  a: new Uint32Array(capacity),
  b: new Uint32Array(capacity),
});

function grown(columns: Columns): Columns {
  const larger = newColumns(columns.t.length * 2);
  larger.t.set(columns.t);
  larger.a.set(columns.a);
  larger.b.set(columns.b);
  return larger;
}

/** `seen` are the persons in the order in which they came. */
function assemble(
  columns: Columns,
  length: number,
  seen: readonly number[],
): Omit<ContactRecording, 'selfContacts'> {
  const sorted = [...seen].sort((x, y) => x - y);
  const rank = new Map(sorted.map((person, place) => [person, place]));
  const placeOf = seen.map((person) => rank.get(person) ?? 0);
  const a = columns.a.map((place) => placeOf[place] ?? 0);
  const b = columns.b.map((place) => placeOf[place] ?? 0);
  const { contacts, duplicates } = merge({ t: columns.t, a, b }, length);
  let startMs = Infinity;
  let endMs = -Infinity;
  for (const contact of contacts) {
    startMs = Math.min(startMs, contact.startMs);
    endMs = Math.max(endMs, contact.endMs);
  }
  return {
    persons: sorted.map(asTagNumber),
    contacts,
    lines: length - duplicates,
    duplicates,
    startMs,
    endMs,
  };
}

function merge(
  columns: Columns,
  length: number,
): { readonly contacts: RecordedContact[]; readonly duplicates: number } {
  const at = (column: Uint32Array, index: number): number => column[index] ?? 0;
  const order = Uint32Array.from({ length }, (_, index) => index).sort(
    (x, y) =>
      at(columns.a, x) - at(columns.a, y) ||
      at(columns.b, x) - at(columns.b, y) ||
      at(columns.t, x) - at(columns.t, y),
  );
  const contacts: RecordedContact[] = [];
  let duplicates = 0;
  for (const index of order) {
    const [a, b, endMs] = [at(columns.a, index), at(columns.b, index), at(columns.t, index) * 1000];
    const last = contacts.at(-1);
    const touches = last?.a === a && last.b === b && endMs - STEP_MS <= last.endMs;
    if (touches && endMs === last.endMs) duplicates += 1;
    else if (touches) contacts[contacts.length - 1] = { ...last, endMs };
    else contacts.push({ a, b, startMs: endMs - STEP_MS, endMs });
  }
  return { contacts, duplicates };
}
