/** A story as it may reach a contact store: in another order, in parts, with much that happens between them. */
import fc from 'fast-check';
import { silentLog } from '../../../protocol/log.js';
import type { ContactStore } from '../../../tracer/contacts/contact-store.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import type { Testimony } from '../../../tracer/records/testimony.js';

/** A story in another order, cut into parts, some words told twice. */
export const inAnyOrder = (stories: fc.Arbitrary<Testimony[]>, mostAtOnce: number) =>
  stories.chain((words) =>
    fc.record({
      words: fc.constant(words),
      told: fc
        .tuple(
          fc.shuffledSubarray(words, { minLength: words.length }),
          fc.subarray(words),
          fc.array(fc.integer({ min: 1, max: mostAtOnce }), { minLength: 1 }),
        )
        .map(([all, again, sizes]) => partsOf([...all, ...again], sizes)),
    }),
  );

function partsOf(words: readonly Testimony[], sizes: readonly number[]): Testimony[][] {
  const parts: Testimony[][] = [];
  for (let from = 0, k = 0; from < words.length; k++) {
    const size = sizes[k % sizes.length] ?? 1;
    parts.push(words.slice(from, from + size));
    from += size;
  }
  return parts;
}

/** What may happen to a store between two parts. */
const event = fc.constantFrom('nothing', 'sealed', 'saved', 'saved and sealed', 'opened again');
/** Over and over. */
export const events = fc.array(event, { minLength: 1, maxLength: 6 });

interface Shape {
  readonly tableRows: number;
  readonly leastRows: number;
  readonly waitingTables: number;
}

/** Small, so that much is sealed. */
export const shape: fc.Arbitrary<Shape> = fc.record({
  tableRows: fc.integer({ min: 4, max: 20 }),
  leastRows: fc.integer({ min: 1, max: 4 }),
  waitingTables: fc.integer({ min: 0, max: 2 }),
});

export const openIn = (folder: string, settings: Shape): Promise<ContactStore> =>
  openContactStore(folder, { ...settings, log: silentLog, startThread: inlineTasks(NODE_STORE_DISK) });

/** A store in this folder that was told all parts, whatever happened between them. The caller closes it. */
export async function toldIn(
  folder: string,
  told: readonly (readonly Testimony[])[],
  settings: Shape,
  between: readonly string[],
): Promise<ContactStore> {
  let store = await openIn(folder, settings);
  for (const [k, part] of told.entries()) {
    await store.ready();
    store.add(part);
    const next = between[k % between.length];
    if (next?.includes('saved') || next === 'opened again') await store.save({ size: 1 });
    if (next?.includes('sealed')) await store.settled();
    if (next === 'opened again') {
      await store.close();
      store = await openIn(folder, settings);
    }
  }
  return store;
}
