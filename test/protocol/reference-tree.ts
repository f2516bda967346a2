/** RFC 6962 §2.1 word for word and slow, the reference the protocol's Merkle code is held against. */
import { createHash } from 'node:crypto';
import type { HashReader } from '../../protocol/tlog/merkle.js';

const sha256 = (...parts: readonly Uint8Array[]) =>
  parts.reduce((digest, part) => digest.update(part), createHash('sha256')).digest();

export class ReferenceTree {
  private readonly entries: readonly Uint8Array[];
  private readonly known = new Map<string, Uint8Array>();

  constructor(entries: readonly Uint8Array[]) {
    this.entries = entries;
  }

  /** MTH(D[start:end]). */
  root(end: number, start = 0): Uint8Array {
    const key = `${start}:${end}`;
    const known = this.known.get(key) ?? this.compute(start, end);
    this.known.set(key, known);
    return known;
  }

  leaf(index: number): Uint8Array {
    return this.root(index + 1, index);
  }

  private compute(start: number, end: number): Uint8Array {
    if (start === end) return sha256();
    if (end - start === 1) return sha256(Uint8Array.of(0), this.entries[start] ?? new Uint8Array());
    let split = 1;
    while (split * 2 < end - start) split *= 2;
    return sha256(Uint8Array.of(1), this.root(start + split, start), this.root(end, start + split));
  }

  /** Reads the hashes a log would have stored. */
  readonly read: HashReader = async (coordinates) =>
    coordinates.map(({ level, index }) => this.root((index + 1) * 2 ** level, index * 2 ** level));
}

/** Entries that are all different, of lengths 0 to 40. */
export function numberedEntries(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const entry = Buffer.alloc(i === 0 ? 0 : 4 + (i % 37));
    if (entry.length > 0) entry.writeUInt32BE(i);
    return entry;
  });
}
