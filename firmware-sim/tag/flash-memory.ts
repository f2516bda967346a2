/** Flash in memory, in pages that exist only while they hold something: 400 tags of 8 MiB each cost what they store. */
import { FLASH_SLOTS, STORED_BYTES } from './flash.js';
import type { Flash, FlashEntry } from './flash.js';

const PAGE_RECORDS = 64;

interface Page {
  readonly bytes: Uint8Array;
  readonly holds: Uint8Array;
  live: number;
}

export interface MemoryFlash extends Flash {
  readonly nextId: number;
  has(id: number): boolean;
  /** Puts back what was stored before, in order of id. */
  restore(entries: Iterable<FlashEntry>, nextId: number, dropped: number): void;
}

export function openMemoryFlash(slots: number = FLASH_SLOTS): MemoryFlash {
  return new PagedFlash(slots);
}

class PagedFlash implements MemoryFlash {
  readonly #slots: number;
  readonly #pages = new Map<number, Page>();
  #nextId = 0;
  #stored = 0;
  #dropped = 0;

  constructor(slots: number) {
    this.#slots = slots;
  }

  get nextId(): number {
    return this.#nextId;
  }

  get stored(): number {
    return this.#stored;
  }

  get dropped(): number {
    return this.#dropped;
  }

  append(records: readonly Uint8Array[]): void {
    for (const record of records) {
      this.drop([this.#nextId - this.#slots]);
      this.#put(this.#nextId, record);
      this.#nextId += 1;
    }
  }

  restore(entries: Iterable<FlashEntry>, nextId: number, dropped: number): void {
    for (const { id, bytes } of entries) this.#put(id, bytes);
    this.#nextId = nextId;
    this.#dropped = dropped;
  }

  *entries(): Generator<FlashEntry> {
    for (const [number, page] of [...this.#pages]) {
      for (let slot = 0; slot < PAGE_RECORDS; slot += 1) {
        if (page.holds[slot] !== 1) continue;
        const at = slot * STORED_BYTES;
        yield { id: number * PAGE_RECORDS + slot, bytes: page.bytes.slice(at, at + STORED_BYTES) };
      }
    }
  }

  has(id: number): boolean {
    return this.#pages.get(Math.floor(id / PAGE_RECORDS))?.holds[id % PAGE_RECORDS] === 1;
  }

  free(ids: Iterable<number>): void {
    for (const id of ids) this.#remove(id);
  }

  drop(ids: Iterable<number>): void {
    for (const id of ids) if (this.#remove(id)) this.#dropped += 1;
  }

  close(): void {
    this.#pages.clear();
  }

  #put(id: number, record: Uint8Array): void {
    const number = Math.floor(id / PAGE_RECORDS);
    const page = this.#pages.get(number) ?? newPage();
    const slot = id % PAGE_RECORDS;
    page.bytes.set(record, slot * STORED_BYTES);
    page.holds[slot] = 1;
    page.live += 1;
    this.#pages.set(number, page);
    this.#stored += 1;
  }

  #remove(id: number): boolean {
    const number = Math.floor(id / PAGE_RECORDS);
    const page = this.#pages.get(number);
    if (page === undefined || page.holds[id % PAGE_RECORDS] !== 1) return false;
    page.holds[id % PAGE_RECORDS] = 0;
    page.live -= 1;
    if (page.live === 0) this.#pages.delete(number);
    this.#stored -= 1;
    return true;
  }
}

function newPage(): Page {
  return { bytes: new Uint8Array(PAGE_RECORDS * STORED_BYTES), holds: new Uint8Array(PAGE_RECORDS), live: 0 };
}
