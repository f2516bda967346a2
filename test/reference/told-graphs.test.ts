/**
 * The tracer against the reference on what people's tags told of each other, and did not agree on: what a contact store
 * makes of both sides, in memory or sealed in a folder, is walked, and what one book of all words holds is walked by the
 * definitions.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import type { Contact } from '../../tracer/contact.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import { trace } from '../../tracer/looks/trace.js';
import type { TraceOptions } from '../../tracer/looks/trace.js';
import type { ReachedPerson, TraceRequest } from '../../tracer/looks/trace-result.js';
import type { Testimony } from '../../tracer/records/testimony.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { temporaryFolder } from '../tracer/contacts/stage.js';
import { crowd, FIRST_EPOCH, standingOf } from '../tracer/contacts/story.js';
import { events, inAnyOrder, shape, toldIn } from '../tracer/contacts/told-anyhow.js';
import { closeContacts, referenceTrace } from './brute-force.js';
import { expectRows } from './expect-rows.js';
import { contactOf } from './path-faults.js';
import { tagsOf } from './views.js';

const HOUR = 3600;
const BEGIN = FIRST_EPOCH * EPOCH_SECONDS;
/** Seconds from there on, of the whole story. */
const ALL = [-HOUR, 60 * HOUR];
/** One for all: what a walk leaves behind would show in the next. */
const space = new WalkWorkspace();

const toldAnyhow = inAnyOrder(crowd, 12);

const drawnQuestion = fc.record({
  /** Which word's reporter is the case. */
  place: fc.nat(),
  hops: fc.integer({ min: 1, max: 5 }),
  window: fc.constantFrom(ALL, ALL, ALL, [600, 25 * HOUR], [HOUR, HOUR]),
  minSeconds: fc.constantFrom(0, 1, 300, 600, 1200),
  latentSeconds: fc.constantFrom(0, 0, 300, 900, 24 * HOUR),
  infectiousSeconds: fc.constantFrom(undefined, 0, 600, 10 * HOUR, 48 * HOUR),
  attenuation: fc.constantFrom('immediate', 'near', 'medium'),
  rounds: fc.constantFrom('auto', 'rows', 'sweep'),
});
type Question = typeof drawnQuestion extends fc.Arbitrary<infer T> ? T : never;

/** Without an infectious period. */
function requestOf(
  { hops, window: [from = 0, to = 0], minSeconds, latentSeconds, attenuation }: Question,
  indexCase: number | undefined,
  direction: TraceRequest['direction'],
): TraceRequest {
  const window = { from: BEGIN + from, to: BEGIN + to };
  return { ...window, case: String(indexCase), direction, hops, minSeconds, latentSeconds, attenuation };
}

function optionsOf(store: ContactStore, { rounds }: Question): TraceOptions {
  const view = store.view();
  return {
    ...{ rounds, space },
    bucketsOf: (segment, entry) => store.bucketsOf(segment, entry),
    ledgerOf: ({ spot }) => (spot.kind === 'contact' ? store.contactAt(view, spot.place).ledger : []),
  };
}

/** Both told it, and nobody alone what stands. */
function isDisputed(contact: Contact, words: readonly Testimony[]): boolean {
  const { a, b, epoch, start, end, bucketSeconds, mutual } = contact;
  const standing = [epoch, start, end, ...bucketSeconds].join();
  const isAsTold = ({ reporter, peer, ...word }: Testimony): boolean =>
    [reporter, peer].includes(a) &&
    [reporter, peer].includes(b) &&
    [word.epoch, word.start, word.end, ...word.bucketSeconds].join() === standing;
  return mutual && !words.some(isAsTold);
}

/** What was walked, so that a test can tell whether that was anything. */
class Walked {
  rows = 0;
  /** Steps to somebody by way of a contact that nobody told as it stands. */
  disputed = 0;

  note(rows: readonly ReachedPerson[], close: readonly Contact[], words: readonly Testimony[]): void {
    this.rows += rows.length;
    for (const step of rows.flatMap(({ path }) => path)) {
      const contact = contactOf(step, close);
      if (contact !== undefined && isDisputed(contact, words)) this.disputed += 1;
    }
  }
}

/** In all directions. */
function expectAsDefined(
  store: ContactStore,
  words: readonly Testimony[],
  question: Question,
  walked: Walked,
): void {
  const contacts = standingOf(words);
  const { place, infectiousSeconds } = question;
  for (const direction of ['forward', 'backward', 'both'] as const) {
    const plain = requestOf(question, words[place % words.length]?.reporter, direction);
    const request = infectiousSeconds === undefined ? plain : { ...plain, infectiousSeconds };
    const result = trace(store.view(), request, optionsOf(store, question));
    const expected = referenceTrace(contacts, request);
    const close = closeContacts(contacts, request);
    const [reached, sources] = [result.reached, result.sources ?? []];
    expectRows(reached, expected.reached, close, request, direction === 'backward' ? 'backward' : 'forward');
    expectRows(sources, expected.sources ?? [], close, request, 'backward');
    expect(result.reachedCount).toBe(expected.reached.length);
    expect(result.sourceCount).toBe(expected.sources?.length);
    walked.note([...reached, ...sources], close, words);
  }
}

/** v is in forward(u) exactly when u is in backward(v), without an infectious period. Gives how many pairs there are. */
function expectMirrored(store: ContactStore, question: Question): number {
  const [view, options] = [store.view(), optionsOf(store, question)];
  const pairsOf = (direction: 'forward' | 'backward') =>
    tagsOf(view).flatMap((u) =>
      trace(view, requestOf(question, u, direction), options).reached.map(({ person }) =>
        direction === 'forward' ? `${u} to ${person}` : `${person} to ${u}`,
      ),
    );
  const forward = pairsOf('forward').sort();
  expect(pairsOf('backward').sort()).toEqual(forward);
  return forward.length;
}

describe('on graphs of which two sides tell, and not the same', () => {
  const drawn = [toldAnyhow, fc.integer({ min: 1, max: 20 }), drawnQuestion] as const;
  const storeOf = (told: readonly (readonly Testimony[])[], tableRows: number): ContactStore => {
    const store = memoryContactStore(tableRows);
    for (const part of told) store.add(part);
    return store;
  };

  it('the tracer reaches whom the definitions reach, when, by which step and with which score', () => {
    const walked = new Walked();
    fc.assert(
      fc.property(...drawn, ({ words, told }, tableRows, question) =>
        expectAsDefined(storeOf(told, tableRows), words, question, walked),
      ),
      { numRuns: 2000 },
    );
    expect(walked.rows).toBeGreaterThan(3000);
    expect(walked.disputed).toBeGreaterThan(1500);
  });

  it('v is in forward(u) exactly when u is in backward(v), without an infectious period', () => {
    let pairs = 0;
    fc.assert(
      fc.property(...drawn, ({ told }, tableRows, question) => {
        pairs += expectMirrored(storeOf(told, tableRows), question);
      }),
      { numRuns: 1000 },
    );
    expect(pairs).toBeGreaterThan(3000);
  });

  it('both hold of what is sealed in a folder in part', async () => {
    const walked = new Walked();
    let [pairs, segments] = [0, 0];
    const inFolder = [toldAnyhow, shape, events, drawnQuestion] as const;
    const property = fc.asyncProperty(...inFolder, async ({ words, told }, settings, between, question) => {
      const store = await toldIn(await temporaryFolder(), told, settings, between);
      expectAsDefined(store, words, question, walked);
      pairs += expectMirrored(store, question);
      segments += store.status().segments;
      await store.close();
    });
    await fc.assert(property, { numRuns: 120 });
    expect(walked.disputed).toBeGreaterThan(50);
    expect(pairs).toBeGreaterThan(200);
    expect(segments).toBeGreaterThan(100);
  });
});
