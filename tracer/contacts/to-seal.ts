/** Contacts that are to go into a segment, as columns with what they rest on. */
import { encodeDetails } from './cold-contact.js';
import type { ColdContact } from './cold-contact.js';
import type { SealedColumns } from './segment-build.js';
import { packSignal, saturated } from './segment.js';

/** In any order. Arrays over shared memory reach the thread that seals without being copied. */
export interface ToSeal extends SealedColumns {
  /** Immediate, near, medium, other seconds: four a contact, at most 65,535 each. */
  readonly buckets: Uint16Array;
  /** 1: proven by one beacon only. */
  readonly partial: Uint8Array;
  /** For each contact in turn: length u32, little-endian, and as many bytes of {@link encodeDetails}; 0 for one from columns. */
  readonly details: Uint8Array;
}

/** A contact as whoever merged it knows it. */
export interface SealedContact extends Omit<ColdContact, 'accounts' | 'epoch'> {
  /** tracing.md, "Contact". */
  readonly nearInDay: number;
  /** `undefined` for one from columns: its epoch is the one its start lies in, and it rests on no entry. */
  readonly evidence: Pick<ColdContact, 'accounts' | 'epoch'> | undefined;
}

/** Weights 1.0, 0.8 and 0.3, halved for one side's word alone: in twentieths of a second for each second. */
const [IMMEDIATE, NEAR, MEDIUM] = [10, 8, 3] as const;

/** W of the score in twentieths of a second (tracing.md, "Score"), as tables of contacts have it. */
export function weightOf(immediate: number, near: number, medium: number, mutual: boolean): number {
  return saturated((IMMEDIATE * immediate + NEAR * near + MEDIUM * medium) * (mutual ? 2 : 1));
}

/** Takes contacts one by one into shared memory. Persons are below 2^32, times are unix seconds. */
export class SealCollector {
  #capacity = 0;
  #columns = newColumns(0);
  #details = new Uint8Array(new SharedArrayBuffer(0));
  #detailBytes = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(contact: SealedContact): void {
    if (this.#count === this.#capacity) this.#grow();
    const at = this.#count++;
    const { bucketSeconds, mutual } = contact;
    const columns = this.#columns;
    columns.lower[at] = contact.lower;
    columns.upper[at] = contact.upper;
    columns.start[at] = contact.start;
    columns.duration[at] = saturated(contact.durationSeconds);
    columns.near[at] = saturated(bucketSeconds[0] + bucketSeconds[1]);
    columns.signal[at] = packSignal(contact.attenuationDb, mutual);
    columns.nearInDay[at] = saturated(contact.nearInDay);
    columns.weight[at] = weightOf(bucketSeconds[0], bucketSeconds[1], bucketSeconds[2], mutual);
    columns.buckets.set(bucketSeconds.map(saturated), 4 * at);
    columns.partial[at] = contact.partial ? 1 : 0;
    this.#addDetails(contact.evidence);
  }

  /** What was added; views of its memory, which later additions may leave behind. */
  columns(): ToSeal {
    return firstOf(this.#columns, this.#count, this.#details.subarray(0, this.#detailBytes));
  }

  #addDetails(evidence: SealedContact['evidence']): void {
    const bytes = evidence ? encodeDetails(evidence.epoch, evidence.accounts) : new Uint8Array(0);
    const end = this.#detailBytes + 4 + bytes.length;
    if (end > this.#details.length) {
      const grown = new Uint8Array(new SharedArrayBuffer(2 * end));
      grown.set(this.#details);
      this.#details = grown;
    }
    new DataView(this.#details.buffer).setUint32(this.#detailBytes, bytes.length, true);
    this.#details.set(bytes, this.#detailBytes + 4);
    this.#detailBytes = end;
  }

  #grow(): void {
    this.#capacity = Math.max(256, 2 * this.#capacity);
    const [old, grown] = [this.#columns, newColumns(this.#capacity)];
    for (const name of NAMES) grown[name].set(old[name]);
    this.#columns = grown;
  }
}

const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);

/** Of zeros, in shared memory. */
export function newColumns(count: number) {
  return {
    lower: new Uint32Array(shared(4 * count)),
    upper: new Uint32Array(shared(4 * count)),
    start: new Uint32Array(shared(4 * count)),
    duration: new Uint16Array(shared(2 * count)),
    near: new Uint16Array(shared(2 * count)),
    signal: new Uint8Array(shared(count)),
    nearInDay: new Uint16Array(shared(2 * count)),
    weight: new Uint16Array(shared(2 * count)),
    buckets: new Uint16Array(shared(8 * count)),
    partial: new Uint8Array(shared(count)),
  };
}

type SealBuffers = ReturnType<typeof newColumns>;

/** The first contacts of columns that have room for more, in the same memory. */
export function firstOf(columns: SealBuffers, count: number, details: Uint8Array<SharedArrayBuffer>): ToSeal {
  const { lower, upper, start, duration, near, signal, nearInDay, weight, buckets, partial } = columns;
  return {
    count,
    lower: lower.subarray(0, count),
    upper: upper.subarray(0, count),
    start: start.subarray(0, count),
    duration: duration.subarray(0, count),
    near: near.subarray(0, count),
    signal: signal.subarray(0, count),
    nearInDay: nearInDay.subarray(0, count),
    weight: weight.subarray(0, count),
    buckets: buckets.subarray(0, 4 * count),
    partial: partial.subarray(0, count),
    details,
  };
}

const NAMES = [
  'lower',
  'upper',
  'start',
  'duration',
  'near',
  'signal',
  'nearInDay',
  'weight',
  'buckets',
  'partial',
] as const;

/** What collects nothing. */
export const NOTHING_TO_SEAL: ToSeal = new SealCollector().columns();
