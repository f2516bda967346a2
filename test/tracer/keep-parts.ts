import type { PartChange } from '../../tracer/contacts/kept-parts.js';

/** What a store does with changes of its parts, of which none is cold. */
export function keep(parts: Map<string, Uint8Array>, changes: readonly PartChange[]): void {
  for (const change of changes) {
    if (change.kind === 'cold') throw new Error('a cold part needs a folder');
    if (change.kind === 'remove') parts.delete(change.name);
    else {
      const before = change.kind === 'append' ? (parts.get(change.name) ?? []) : [];
      parts.set(change.name, Uint8Array.from([...before, ...change.bytes]));
    }
  }
}
