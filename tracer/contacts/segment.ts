/**
 * A segment: contacts that do not change any more, per person in order of start (compressed sparse rows), each
 * contact in the rows of both. 15 bytes an entry in typed arrays over shared memory, and four a person:
 *
 *     peer         u32   person
 *     startSignal  u32   (start − baseSeconds) << 8 | mutual << 7 | attenuation in dB, at most 127
 *     span         u16   duration << 4 | nearSeconds >> 8       at most 4,095 s each
 *     nearLow      u8    nearSeconds & 0xff
 *     nearInDay    u16   nearSeconds of the pair over the 24 h up to the contact's end, at most 65,535
 *     weight       u16   W of the score in twentieths of a second (tracing.md, "Score")
 *
 * What a contact rests on, its buckets and ledger entries, lies apart, in a file that walks do not touch.
 */

export interface Segment {
  /** Never used twice while the store is open; one that was never committed may be used again in its next opening. */
  readonly id: number;
  readonly baseSeconds: number;
  /** The latest end of a contact in it, unix seconds. */
  readonly lastSeconds: number;
  /** Rows; a person with a higher number has no contact in it. */
  readonly people: number;
  readonly entries: number;
  /** The entries of person p are those from rows[p] up to rows[p + 1]; people + 1 numbers. */
  readonly rows: Uint32Array;
  readonly peer: Uint32Array;
  readonly startSignal: Uint32Array;
  readonly span: Uint16Array;
  readonly nearLow: Uint8Array;
  readonly nearInDay: Uint16Array;
  readonly weight: Uint16Array;
}

export type SegmentShape = Pick<Segment, 'id' | 'baseSeconds' | 'lastSeconds' | 'people' | 'entries'>;

/** Seconds from the base that a segment can hold, 24 bits: more than half a year. */
export const MAX_SPAN_SECONDS = 2 ** 24 - 1;
export const MAX_CONTACT_SECONDS = 4095;
const MAX_U16 = 65_535;
const MAX_ATTENUATION_DB = 127;

export const packSignal = (attenuationDb: number, mutual: boolean): number =>
  (mutual ? 128 : 0) | Math.min(attenuationDb, MAX_ATTENUATION_DB);
export const attenuationOf = (signal: number): number => signal & 0x7f;
export const isMutual = (signal: number): boolean => (signal & 0x80) !== 0;
export const saturated = (value: number): number => Math.min(value, MAX_U16);

export const startAt = (s: Segment, entry: number): number =>
  s.baseSeconds + ((s.startSignal[entry] ?? 0) >>> 8);
/** Unix seconds. */
export const endAt = (s: Segment, entry: number): number => startAt(s, entry) + durationAt(s, entry);
export const signalAt = (s: Segment, entry: number): number => (s.startSignal[entry] ?? 0) & 0xff;
export const durationAt = (s: Segment, entry: number): number => (s.span[entry] ?? 0) >> 4;
export const nearSecondsAt = (s: Segment, entry: number): number =>
  ((s.span[entry] ?? 0) & 0xf) * 256 + (s.nearLow[entry] ?? 0);

/** Weights 1.0, 0.8 and 0.3, halved for one side's word alone: in twentieths of a second for each second. */
const [IMMEDIATE, NEAR, MEDIUM] = [10, 8, 3] as const;

/** W of the score in twentieths of a second (tracing.md, "Score"), as tables of contacts have it. */
export function weightOf(immediate: number, near: number, medium: number, mutual: boolean): number {
  return saturated((IMMEDIATE * immediate + NEAR * near + MEDIUM * medium) * (mutual ? 2 : 1));
}

/** Its file is written and read through one view of its memory; Node 20 has none of more than 4 GiB. */
export const MAX_SEGMENT_BYTES = 2 ** 32 - 1;

/** Bytes of shared memory that a segment takes. */
export const segmentBytes = ({ people, entries }: SegmentShape): number => offsetsOf(people, entries).end;

/** The columns of a segment in its memory, which begins with zeros in a new one. */
export function segmentIn(memory: SharedArrayBuffer, shape: SegmentShape, byteOffset = 0): Segment {
  const { people, entries } = shape;
  const at = offsetsOf(people, entries);
  return {
    ...shape,
    rows: new Uint32Array(memory, byteOffset, people + 1),
    peer: new Uint32Array(memory, byteOffset + at.peer, entries),
    startSignal: new Uint32Array(memory, byteOffset + at.startSignal, entries),
    span: new Uint16Array(memory, byteOffset + at.span, entries),
    nearInDay: new Uint16Array(memory, byteOffset + at.nearInDay, entries),
    weight: new Uint16Array(memory, byteOffset + at.weight, entries),
    nearLow: new Uint8Array(memory, byteOffset + at.nearLow, entries),
  };
}

function offsetsOf(people: number, entries: number) {
  const peer = 4 * (people + 1);
  const startSignal = peer + 4 * entries;
  const span = startSignal + 4 * entries;
  const nearInDay = span + 2 * entries;
  const weight = nearInDay + 2 * entries;
  const nearLow = weight + 2 * entries;
  return { peer, startSignal, span, nearInDay, weight, nearLow, end: nearLow + entries };
}

/** The first entry of a person in it whose start is at or after this time. */
export function firstFrom(segment: Segment, person: number, seconds: number): number {
  const { rows, startSignal, baseSeconds, people } = segment;
  if (person >= people) return 0;
  let low = rows[person] ?? 0;
  let high = rows[person + 1] ?? 0;
  const wanted = seconds - baseSeconds;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((startSignal[middle] ?? 0) >>> 8 < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first entry of a person in it that may end at or after this time: those before it ended earlier. */
export const firstEndingFrom = (segment: Segment, person: number, seconds: number): number =>
  firstFrom(segment, person, seconds - MAX_CONTACT_SECONDS);

export const rowEnd = ({ rows, people }: Segment, person: number): number =>
  person >= people ? 0 : (rows[person + 1] ?? 0);

/** How many entries a person has in it. */
export const rowLength = ({ rows, people }: Segment, person: number): number =>
  person >= people ? 0 : (rows[person + 1] ?? 0) - (rows[person] ?? 0);
