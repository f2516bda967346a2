/** Contacts made up for tests, taken one by one into the columns that are sealed. */
import { encodeDetails } from '../../../tracer/contacts/cold-contact.js';
import type { ColdContact } from '../../../tracer/contacts/cold-contact.js';
import { packSignal, saturated, weightOf } from '../../../tracer/contacts/segment.js';
import { firstOf, newColumns } from '../../../tracer/contacts/to-seal.js';
import type { ToSeal } from '../../../tracer/contacts/to-seal.js';

/** A contact as whoever merged it knows it. */
export interface SealedContact extends Omit<ColdContact, 'accounts' | 'epoch'> {
  /** tracing.md, "Contact". */
  readonly nearInDay: number;
  /** `undefined` for one from columns: its epoch is the one its start lies in, and it rests on no entry. */
  readonly evidence: Pick<ColdContact, 'accounts' | 'epoch'> | undefined;
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
